"""Values of fields: text, phone numbers, e-mail addresses, values of custom fields."""

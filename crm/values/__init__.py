"""Values of fields: texts, phone numbers, email addresses and custom values."""

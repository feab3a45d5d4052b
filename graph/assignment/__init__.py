"""Assignment rules and the inputs that name assignees."""

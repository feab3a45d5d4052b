"""Value formats: ids, folded text, the wire format."""

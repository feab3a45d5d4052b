"""Records that customers refer to."""

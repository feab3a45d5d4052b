"""Jobs: progress, results by row, and files."""

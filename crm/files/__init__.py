"""Files of rows: CSV, XLSX and JSONL, read with suspicion and written as they can be read again."""

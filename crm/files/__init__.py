"""Files of rows in CSV, XLSX and JSONL: safe readers for untrusted files, and writers whose files can be read back."""

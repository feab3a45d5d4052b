"""SELECTs and set-based writes, by subject. Loaders are batch functions: ids in, a mapping out."""

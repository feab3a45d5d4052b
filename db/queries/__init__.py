"""Every SELECT and every set-based write, one module a room; loaders are batch functions: ids in, a mapping out."""

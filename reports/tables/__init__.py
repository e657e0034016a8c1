"""One kind of table per file."""

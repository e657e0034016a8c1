"""One report per file: its content, its page and its files."""

"""One page per file: collects its content and names its template."""

"""Records and arrays that reports read from studies."""

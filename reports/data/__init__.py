"""What a report reads from the studies, as records and arrays."""

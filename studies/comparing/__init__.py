"""Comparison of configurations by seed: what may be compared, and what differs."""

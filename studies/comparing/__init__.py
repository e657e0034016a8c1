"""Comparison of configurations by seed: comparability, verdicts and differing settings."""

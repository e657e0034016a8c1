"""A sweep under random faults: `python -m perf.chaos`."""

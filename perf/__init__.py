"""How fast training is; run from the root of the repository, one measurement at a time."""

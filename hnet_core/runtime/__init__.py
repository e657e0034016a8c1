"""Devices, peak memory and floating-point precision of a training process."""

"""Continual learning methods: one file per method."""

from hnet_core.methods.protocol import Method, Problem

__all__ = ["Method", "Problem"]

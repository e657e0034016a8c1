"""Continual learning methods: one file per method."""

from hnet_core.methods.method import Method, Problem

__all__ = ["Method", "Problem"]

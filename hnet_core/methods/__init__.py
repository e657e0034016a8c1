"""Continual learning methods: one file per method."""

from hnet_core.methods.protocol import Method
from hnet_core.problem import Problem

__all__ = ["Method", "Problem"]

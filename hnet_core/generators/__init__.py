"""Generators: networks that are trained on the inputs of a task, and then sample inputs like them."""

from hnet_core.generators.generator import Generator, GeneratorCounts

__all__ = ["Generator", "GeneratorCounts"]

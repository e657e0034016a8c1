"""Target networks: stateless, their weights come from outside as one flat vector."""

from hnet_core.targets.target import Target

__all__ = ["Target"]

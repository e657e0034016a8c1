"""The output regulariser of von Oswald et al. (2020), its snapshots and its look-ahead."""

from hnet_core.regularizers.output import OutputRegularizer

__all__ = ["OutputRegularizer"]

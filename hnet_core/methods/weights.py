"""Weight sources under the path that methods of other packages import; see `hnet_core.weights.sources`."""

from hnet_core.weights.sources import (
    GeneratedWeights,
    OwnWeights,
    WeightSource,
    copies,
    fill,
    fixed_predictor,
    leaf,
    shared_counts,
)

__all__ = [
    "GeneratedWeights",
    "OwnWeights",
    "WeightSource",
    "copies",
    "fill",
    "fixed_predictor",
    "leaf",
    "shared_counts",
]

"""The contract of a method and its problem under the path that methods of other packages import."""

from hnet_core.methods.protocol import Method, ReadsTask
from hnet_core.problem import Predictor, Problem, Tensors

__all__ = ["Method", "Predictor", "Problem", "ReadsTask", "Tensors"]

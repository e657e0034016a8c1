"""Task inference by the nearest class in the features of the networks of the tasks."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.methods.protocol import GivesFeatures, Method
from hnet_core.problem import Problem
from hnet_core.registry import METHODS
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.task_inference.protocol import InferenceCounts, TaskOutputs
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts
from hnet_core.weights.sources import copies

BATCH = 2048
PINV_CUTOFF = 1e-15  # numpy's own, of the largest eigenvalue


class Fecam:
    """The task that has the nearest class by the Mahalanobis distance of the features before the heads.

    FeCAM of Goswami et al., "FeCAM: exploiting the heterogeneity of class distributions in exemplar-free continual
    learning" (NeurIPS 2023), https://arxiv.org/abs/2309.14062, eq. 7 and 9, as the code of HyperMask takes it to find
    the task: features by the network of each task, mean and covariance of each of its classes. The class is then
    decided by the head of that task.

    Differs: means and covariances are computed when a task has been learnt and kept; the script of HyperMask computes
    them from the training images of all earlier tasks with the present networks.
    """

    name = "fecam"
    summary = "the task with the nearest class in the features of its network (FeCAM of Goswami et al. 2023)"
    page = "task_inference"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    class Options(ComponentOptions):
        pass

    def __init__(self, options: Options, problem: Problem, method: Method) -> None:
        if not isinstance(method, GivesFeatures):
            raise TypeError("the method must give features; see Fecam.unsupported.")
        self._problem, self._method = problem, method
        self._means: list[Tensor] = []  # of each task, (n_classes, n_features), normalised to length 1
        self._inverses: list[Tensor] = []  # (n_classes, n_features, n_features)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        if not hasattr(METHODS[config.method.name], "feature_extractor"):
            return f"reads the features before the heads, which method {config.method.name} does not give"
        if not target.n_blocks:
            return "reads the features before the heads, and this target network has no layer before them"
        return None

    @staticmethod
    def counts(options: Options, shape: StreamShape, target: Target, counts: WeightCounts) -> InferenceCounts:
        n_features = math.prod(target.part(0, target.n_blocks).output_shape)
        per_task = shape.outputs_per_task * n_features * (1 + n_features)
        features = shape.n_tasks * (counts.inference or 0)
        distances = shape.n_tasks * shape.outputs_per_task * n_features * (1 + n_features)
        return InferenceCounts(weights=shape.n_tasks * per_task, per_task=per_task, multiply_adds=features + distances)

    def end_task(self, task: int, train: Split) -> None:
        n_classes = self._problem.shape.outputs_per_task
        classes: dict[int, ClassMoments] = {}
        extract = self._method.feature_extractor(task)
        with torch.no_grad():
            for start in range(0, len(train), BATCH):
                inputs, labels = train.batch(slice(start, start + BATCH), self._problem.dtype)
                features = extract(inputs).double()
                for label in labels.unique().tolist():
                    classes.setdefault(label, ClassMoments(features)).add(features[labels == label])
            n_features = features.shape[1]
            means = features.new_full((n_classes, n_features), math.nan)  # of a class that the task does not have
            inverses = features.new_zeros(n_classes, n_features, n_features)
            for label, moments in classes.items():
                means[label] = F.normalize(moments.mean, dim=0)
                inverses[label] = inverse_of(normalized(shrunk(shrunk(moments.covariance))))
        self._means.append(means.to(self._problem.dtype))
        self._inverses.append(inverses.to(self._problem.dtype))

    def infer(self, outputs: TaskOutputs) -> Tensor:
        """Return the task of each input, (n,); a task in training, whose classes are not known yet, is none of them."""
        n_known = min(outputs.n_seen, len(self._means))
        if not n_known:
            return torch.zeros(len(outputs.inputs), dtype=torch.int64, device=outputs.inputs.device)
        return torch.stack([self._distance(task, outputs.features(task)) for task in range(n_known)]).argmin(dim=0)

    def _distance(self, task: int, features: Tensor) -> Tensor:
        """Return the squared distance of features (n, n_features) to the nearest class of a task, (n,)."""
        normal = F.normalize(features, dim=1)
        classes = zip(self._means[task], self._inverses[task], strict=True)
        of_classes = [squared_distance(normal - mean, inverse) for mean, inverse in classes]
        return torch.stack(of_classes).nan_to_num(nan=math.inf).amin(dim=0)

    def state(self) -> dict[str, Any]:
        return {"means": copies(self._means), "inverses": copies(self._inverses)}

    def load_state(self, state: dict[str, Any]) -> None:
        device = self._problem.device
        self._means, self._inverses = ([part.to(device) for part in state[key]] for key in ("means", "inverses"))


class ClassMoments:
    """Mean and covariance of the features of one class, from batch after batch in float64."""

    def __init__(self, like: Tensor) -> None:
        n_features = like.shape[1]
        self._n, self._sum = 0, like.new_zeros(n_features)
        self._products = like.new_zeros(n_features, n_features)

    def add(self, features: Tensor) -> None:
        """Count the features of further examples, (n, n_features)."""
        self._n += len(features)
        self._sum += features.sum(dim=0)
        self._products.addmm_(features.mT, features)

    @property
    def mean(self) -> Tensor:
        return self._sum / self._n

    @property
    def covariance(self) -> Tensor:
        """The unbiased covariance, (n_features, n_features); zeros for a single example."""
        return (self._products - self._n * torch.outer(self.mean, self.mean)) / max(1, self._n - 1)


def shrunk(covariance: Tensor) -> Tensor:
    """Return the covariance plus its mean variance on the diagonal, and its mean covariance off it; eq. 9.

    The mean covariance is that of the entries that are not 0.
    """
    identity = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
    off_diagonal = covariance * (1 - identity)
    n_entries = off_diagonal.count_nonzero().clamp(min=1)
    return covariance + covariance.diagonal().mean() * identity + off_diagonal.sum() / n_entries * (1 - identity)


def normalized(covariance: Tensor) -> Tensor:
    """Return the correlation matrix of a covariance; a feature that never varies counts as uncorrelated."""
    deviation = covariance.diagonal().sqrt()
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return covariance / torch.outer(deviation, deviation)


def inverse_of(correlation: Tensor) -> Tensor:
    """Return the pseudo-inverse of the matrix plus 1e-8, symmetric."""
    inverse: Tensor = torch.linalg.pinv(correlation + 1e-8, rtol=PINV_CUTOFF, hermitian=True)
    return inverse


def squared_distance(difference: Tensor, inverse: Tensor) -> Tensor:
    """Return d^T S^-1 d for each row d of (n, n_features), (n,); eq. 7."""
    return ((difference @ inverse) * difference).sum(dim=1)

"""Every metric, derived from the raw accuracy matrix, the weight counts and the costs of a run.

Notation: a[i][j] is the measure on task j after training task i, tasks 1 to T; b[j] that of the untrained model. A
metric is None (NaN in arrays) where it is not defined: for another measure, or where a cell it needs was not evaluated;
a maximum over l needs a[l][j] for every l from j on. Accuracies are in [0, 1].

Sources:
    GEM: Lopez-Paz and Ranzato, "Gradient episodic memory for continual learning" (NeurIPS 2017),
        https://arxiv.org/abs/1706.08840
    iCaRL: Rebuffi et al., "iCaRL: incremental classifier and representation learning" (CVPR 2017),
        https://arxiv.org/abs/1611.07725
    RWalk: Chaudhry et al., "Riemannian walk for incremental learning" (ECCV 2018), https://arxiv.org/abs/1801.10112
    MER: Riemer et al., "Learning to learn without forgetting by maximizing transfer and minimizing interference"
        (ICLR 2019), https://arxiv.org/abs/1810.11910
    HNET: von Oswald et al., "Continual learning with hypernetworks" (ICLR 2020), https://arxiv.org/abs/1906.00695
    Avalanche: https://github.com/ContinualAI/avalanche; Mammoth: https://github.com/aimagelab/mammoth
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

from studies.metrics import from_matrix


@dataclass(frozen=True)
class Metric:
    """The name, meaning, better direction and function of one metric.

    Attributes:
        measure: the only measure it is defined for; None: any.
        kind: "matrix" is derived from evaluations and "cost" from the training of each seed, so both vary over seeds;
            "count" follows from the weight counts, the same for each seed and known before training.
        derive: its function. Of kind "matrix" from `from_matrix.Matrices` to (n_runs,), NaN where not defined; of kind
            "count" from WeightCounts and of kind "cost" from TrialResult to a number.
        description: what it is, with formula and source.
        lowest, highest: the bounds of its values, infinite where there is none. An interval over seeds ends there, see
            `studies.statistics.intervals.bounded`.
    """

    name: str
    label: str
    better: Literal["higher", "lower"]
    measure: Literal["accuracy", "mse"] | None
    kind: Literal["matrix", "count", "cost"]
    derive: Callable[[Any], Any]
    description: str
    lowest: float = -math.inf
    highest: float = math.inf


def _accuracy(
    name: str,
    label: str,
    derive: Callable[[from_matrix.Matrices], Any],
    description: str,
    *,
    better: Literal["higher", "lower"] = "higher",
    lowest: float = 0.0,
) -> Metric:
    """Define a metric of the accuracy matrix; a difference of accuracies has -1 as its lowest value."""
    return Metric(name, label, better, "accuracy", "matrix", derive, description, lowest, highest=1.0)


def _mse(name: str, label: str, derive: Callable[[from_matrix.Matrices], Any], description: str) -> Metric:
    return Metric(name, label, "lower", "mse", "matrix", derive, description, lowest=0.0)


def _count(name: str, label: str, attribute: str, description: str) -> Metric:
    """Define a count by the attribute of WeightCounts that holds it."""
    return Metric(name, label, "lower", None, "count", attrgetter(attribute), description, lowest=0.0)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _accuracy(
            "final_accuracy",
            "Final accuracy",
            from_matrix.final,
            "Mean test accuracy over all tasks after the last one: (1/T) sum_j a[T][j] (ACC of GEM).",
        ),
        _accuracy(
            "during_accuracy",
            "During accuracy",
            from_matrix.during,
            "Mean test accuracy on each task right after it was trained: (1/T) sum_j a[j][j] "
            "(learning accuracy of MER, 'during' of HNET).",
        ),
        _accuracy(
            "average_incremental_accuracy",
            "Average incremental accuracy",
            from_matrix.average_incremental,
            "Mean over k of the mean test accuracy on the tasks seen after task k: "
            "(1/T) sum_k A_k, A_k = (1/k) sum_{j<=k} a[k][j] (iCaRL).",
        ),
        _accuracy(
            "validation_final_accuracy",
            "Final accuracy (validation)",
            from_matrix.validation_final,
            "final_accuracy on the validation split: what the search and the front go by, so that test stays unseen.",
        ),
        _accuracy(
            "known_task_accuracy",
            "Known-task accuracy",
            from_matrix.known_task,
            "final_accuracy with the task of every input known, where the run also infers it (CL1 of HNET); missing "
            "where nothing infers the task.",
        ),
        _accuracy(
            "known_task_during_accuracy",
            "Known-task during accuracy",
            from_matrix.known_task_during,
            "during_accuracy with the task of every input known, where the run also infers it; missing where nothing "
            "infers the task.",
        ),
        _accuracy(
            "inferred_task_accuracy",
            "Inferred-task accuracy",
            from_matrix.inferred_task,
            "final_accuracy with the task of every input inferred (CL2 and CL3 of HNET); equal to final_accuracy in "
            "scenarios domain and class.",
        ),
        _accuracy(
            "task_inference_accuracy",
            "Task-inference accuracy",
            from_matrix.task_inference,
            "Share of test inputs whose task is inferred right after the last task, mean over all tasks.",
        ),
        Metric(
            "gradient_cosine",
            "Cosine of the gradients",
            "higher",
            None,
            "matrix",
            from_matrix.gradient_cosine,
            "Cosine of the gradients of the task's loss and of the regulariser in the first epoch of a task, mean over "
            "its steps and over tasks 2 to T (Fig. 12 of Hemati et al.); missing for methods with one gradient.",
            lowest=-1.0,
            highest=1.0,
        ),
        _accuracy(
            "forgetting",
            "Forgetting (max)",
            from_matrix.forgetting,
            "Best test accuracy before the last task minus the one after it, mean over the tasks before the last: "
            "1/(T-1) sum_{j<T} ( max_{l<T} a[l][j] - a[T][j] ) (F_T of RWalk); negative where later tasks helped.",
            better="lower",
            lowest=-1.0,
        ),
        _accuracy(
            "forgetting_first",
            "Forgetting (first)",
            from_matrix.forgetting_first,
            "Test accuracy right after a task was trained minus the one after the last, mean over the tasks before the "
            "last: 1/(T-1) sum_{j<T} ( a[j][j] - a[T][j] ) (Forgetting of Avalanche); minus backward_transfer.",
            better="lower",
            lowest=-1.0,
        ),
        _accuracy(
            "forgetting_mammoth",
            "Forgetting (Mammoth)",
            from_matrix.forgetting_mammoth,
            "Best test accuracy at any time, the last included, minus the one after the last task: "
            "1/(T-1) sum_{j<T} ( max_l a[l][j] - a[T][j] ) (Mammoth); never negative.",
            better="lower",
        ),
        _accuracy(
            "backward_transfer",
            "Backward transfer (BWT)",
            from_matrix.backward_transfer,
            "What later tasks did to earlier ones: 1/(T-1) sum_{j<T} ( a[T][j] - a[j][j] ) (BWT of GEM).",
            lowest=-1.0,
        ),
        _accuracy(
            "forward_transfer",
            "Forward transfer (FWT)",
            from_matrix.forward_transfer,
            "What earlier tasks did to one not trained yet: 1/(T-1) sum_{j>1} ( a[j-1][j] - b[j] ) (FWT of GEM); "
            "missing where unseen tasks were not evaluated, as with a head per task, never 0.",
            lowest=-1.0,
        ),
        _mse(
            "final_mse",
            "Final MSE",
            from_matrix.final,
            "Mean squared test error over all tasks after the last one: (1/T) sum_j a[T][j].",
        ),
        _mse(
            "during_mse",
            "During MSE",
            from_matrix.during,
            "Mean squared test error on each task right after it was trained: (1/T) sum_j a[j][j].",
        ),
        _mse(
            "validation_final_mse",
            "Final MSE (validation)",
            from_matrix.validation_final,
            "final_mse on the validation split: what the search and the front go by.",
        ),
        _count(
            "compression_ratio",
            "Compression ratio",
            "compression_ratio",
            "All weights needed to run every task over those of one target network: model_weights / target_weights "
            "(HNET, Fig. 3b); below 1 compresses.",
        ),
        Metric(
            "compression_level",
            "Compression level",
            "higher",
            None,
            "count",
            lambda counts: 1 - counts.compression_ratio,
            "Share of the weights of one target network that is saved: 1 - compression_ratio; the opposite direction.",
            highest=1.0,
        ),
        _count(
            "hypernet_ratio",
            "Hypernetwork ratio",
            "hypernet_ratio",
            "Weights of the hypernetwork with its embeddings over those of one target network: "
            "hypernet_weights / target_weights (the ratio HNET publishes).",
        ),
        _count("model_weights", "Model weights", "model", "All weights needed to run every task after the last one."),
        _count(
            "hypernet_weights",
            "Hypernetwork weights",
            "hypernet",
            "Weights of the hypernetwork with its chunk and task embeddings; 0 where there is none.",
        ),
        _count("target_weights", "Target weights", "target", "Weights of one target network, all its heads included."),
        _count(
            "trained_weights",
            "Trained weights",
            "trained",
            "Those of the model weights that training changes in any task.",
        ),
        _count(
            "weights_per_task",
            "Weights per further task",
            "per_task",
            "Weights that one further task adds to the model weights.",
        ),
        _count(
            "model_bytes",
            "Model bytes",
            "model_bytes",
            "Bytes that store the model after the last task: 4 for each of the model weights (float32), and the "
            "bits of masks that are stored as bits.",
        ),
        _count(
            "memory_bytes",
            "Memory bytes",
            "memory_bytes",
            "Bytes kept from task to task only to learn further ones: replayed data, importance of weights.",
        ),
        _count(
            "inference_multiply_adds",
            "Inference multiply-adds",
            "inference",
            "Multiply-adds to classify one input once the weights of its task are there; what a mask leaves out is not "
            "counted.",
        ),
        _count(
            "generation_multiply_adds",
            "Generation multiply-adds",
            "generation",
            "Multiply-adds to generate the weights, or the mask, of one task; 0 where they are stored.",
        ),
        Metric(
            "seconds",
            "Training time (s)",
            "lower",
            None,
            "cost",
            lambda result: sum(result.seconds),
            "Wall time of training over all tasks, evaluation excluded; comparable on one known machine only.",
            lowest=0.0,
        ),
        Metric(
            "peak_memory_mib",
            "Peak memory (MiB)",
            "lower",
            None,
            "cost",
            attrgetter("peak_memory_mib"),
            "Highest resident memory of the training process.",
            lowest=0.0,
        ),
    )
}

# Columns of a trial row -> fields of WeightCounts.
COUNTS = {
    "target_weights": "target",
    "model_weights": "model",
    "hypernet_weights": "hypernet",
    "weights_per_task": "per_task",
    "trained_weights": "trained",
    "mask_bits": "mask_bits",
    "memory_bytes": "memory_bytes",
    "inference_multiply_adds": "inference",
    "generation_multiply_adds": "generation",
}

# Counts proper: integers, the same for each seed.
WHOLE = frozenset(
    name for name, metric in METRICS.items() if metric.kind == "count" and not name.endswith(("_ratio", "_level"))
)

# What differs between the seeds of one configuration.
VARYING = tuple(metric.name for metric in METRICS.values() if metric.kind != "count")
MATRIX_METRICS = tuple(metric.name for metric in METRICS.values() if metric.kind == "matrix")
COST_METRICS = tuple(metric.name for metric in METRICS.values() if metric.kind == "cost")

# What stands in for a test metric wherever something is chosen: sampler, rungs, membership of the front.
SELECTED_BY = {"final_accuracy": "validation_final_accuracy", "final_mse": "validation_final_mse"}

"""Tables of runs and trials: searched parameters and metrics as columns, seeds summed up with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from hnet_core.trial import BYTES_PER_WEIGHT
from studies.metrics import COUNTS, METRICS
from studies.statistics import t_quantile
from studies.where import matching

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("method", "stream", "target", "hypernet")
VARYING = [name for name, metric in METRICS.items() if metric.kind != "count"]


def params_frame(params: Sequence[Mapping[str, Any]], searched: Sequence[str]) -> pd.DataFrame:
    """One column per searched parameter under its dotted name, in the order of the spec."""
    import pandas as pd

    names = dict.fromkeys([*searched, *(name for values in params for name in values)])
    return pd.DataFrame({name: [values.get(name) for values in params] for name in names}, index=range(len(params)))


def static_frame(weights: pd.DataFrame) -> pd.DataFrame:
    """The metrics of kind "count" from the columns of COUNTS; where a count is missing, so are those made from it."""
    import pandas as pd

    of = weights[list(COUNTS)].apply(pd.to_numeric)  # integers, or with a missing one floats
    return pd.DataFrame(
        {
            "compression_ratio": of["model_weights"] / of["target_weights"],
            "hypernet_ratio": of["hypernet_weights"] / of["target_weights"],
            "model_weights": of["model_weights"],
            "hypernet_weights": of["hypernet_weights"],
            "target_weights": of["target_weights"],
            "trained_weights": of["trained_weights"],
            "weights_per_task": of["weights_per_task"],
            "model_bytes": BYTES_PER_WEIGHT * of["model_weights"] + (of["mask_bits"] + 7) // 8,
            "memory_bytes": of["memory_bytes"],
            "inference_multiply_adds": of["inference_multiply_adds"],
            "generation_multiply_adds": of["generation_multiply_adds"],
        },
        index=weights.index,
    )


def over_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """For each trial number: n, and M, M.low, M.high of each metric M that varies over seeds.

    Mean and t interval as in `studies.statistics.t_interval`, for all trials at once.
    """
    import numpy as np
    import pandas as pd

    groups = runs.groupby("number")[VARYING]
    mean, n = groups.mean(), groups.count()
    half = groups.std() / np.sqrt(n) * t_quantile(n.to_numpy())
    columns: dict[str, Any] = {"n": runs.groupby("number").size()}
    for name in VARYING:
        columns[name] = mean[name]
        columns[f"{name}.low"] = mean[name] - half[name]
        columns[f"{name}.high"] = mean[name] + half[name]
    return pd.DataFrame(columns)


def select_rows(
    frame: pd.DataFrame, where: str | None = None, sort: str | None = None, limit: int | None = None
) -> pd.DataFrame:
    """The rows that meet a condition, sorted, the first `limit` of them.

    Args:
        where: see `studies.where`.
        sort: column names joined by commas, a minus before those that go down; missing values come last.

    Raises:
        ConfigInvalid: if a column is unknown or cannot be sorted, the condition is none, or `limit` is below 1.
    """
    if where is not None:
        frame = frame[matching(where, frame)]
    if sort is not None:
        frame = _sorted(frame, sort)
    if limit is not None:
        if limit < 1:
            raise ConfigInvalid(f"--limit must be at least 1, got {limit}.")
        frame = frame.head(limit)
    return frame.reset_index(drop=True)


def _sorted(frame: pd.DataFrame, sort: str) -> pd.DataFrame:
    keys = [key.strip() for key in sort.split(",") if key.strip()]
    names = [key.removeprefix("-") for key in keys]
    for name in names:
        if name not in frame.columns:
            known = [str(column) for column in frame.columns if not str(column).endswith((".low", ".high"))]
            raise ConfigInvalid(f"--sort knows no column {name!r}{did_you_mean(name, known)}.")
    if not names:
        raise ConfigInvalid(f"--sort must name columns, such as -final_accuracy,compression_ratio; got {sort!r}.")
    try:
        return frame.sort_values(names, ascending=[not key.startswith("-") for key in keys], kind="stable")
    except TypeError:
        raise ConfigInvalid(f"--sort needs columns of numbers or text, got {', '.join(names)}.") from None

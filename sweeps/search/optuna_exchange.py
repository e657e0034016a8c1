"""Export of studies to Optuna, for example for optuna-dashboard, and import of Optuna studies.

Optuna stores one number per objective and trial. So an exported trial has the mean over seeds as its value and
everything else as user attributes, and an imported one has one evaluation: no matrix, no forgetting, no seeds.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.trial import Measure, WeightCounts
from studies.database.schema import RUNNING
from studies.database.urls import mask_passwords, parse_url, sqlite_path
from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from studies.spec.ranges import encode
from studies.store.importing import ImportedRun, ImportedTrial
from studies.store.store import StudyExists
from sweeps.search.optuna_studies import open_storage

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, TrialState


def to_optuna(studies: Studies, name: str, url: str) -> int:
    """Write a study as an Optuna study of the same name into an Optuna storage; return the number of trials.

    Values are means over seeds on the test split. A trial without a value for each objective becomes FAIL or
    PRUNED; one that is still RUNNING is left out.

    Raises:
        StudyExists: if the storage has a study of that name.
    """
    import optuna

    record = studies.study(name)
    rows = [row for row in studies.trial_rows(name).dicts() if row["state"] != RUNNING]
    storage = open_storage(url)
    if name in optuna.get_all_study_names(storage):
        raise StudyExists(f"an Optuna study {name!r} is in {mask_passwords(url)} already; name another storage.")
    objectives = record.objectives
    directions = [optuna.study.StudyDirection[one.upper()] for one in objectives.values()]
    study = optuna.create_study(storage=storage, study_name=name, directions=directions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ExperimentalWarning: names of objectives have been there since 3.2
        study.set_metric_names(list(objectives))
    study.set_user_attr("exported_from", f"hnet study {record.uuid}")
    known = dict(_distributions(rows, record.spec.get("search") or {}))
    study.add_trials([_frozen(row, list(objectives), known) for row in rows])
    return len(rows)


@dataclass(frozen=True)
class Meaning:
    """Interpretation of the numbers of a foreign Optuna study.

    Attributes:
        quality: position of the objective that is an accuracy or an mse.
        measure: which of the two.
        target_weights: weights of the target network of every trial.
        ratio: position of the objective that is a compression ratio.
        model_weights: weights of the model of every trial, where no objective is the ratio.
    """

    quality: int
    measure: Measure
    target_weights: int
    ratio: int | None = None
    model_weights: int | None = None


def from_optuna(url: str, name: str, meaning: Meaning) -> list[ImportedTrial]:
    """Read the finished trials of an Optuna study, each COMPLETE one with one evaluation of one task.

    Raises:
        NotFound: if the storage has no such study.
        ConfigInvalid: if the study does not have the objectives named, or an accuracy is not between 0 and 1.
    """
    import optuna

    if (meaning.ratio is None) == (meaning.model_weights is None):
        raise ConfigInvalid("the size of each model must come from --ratio or from --model-weights; give one of them.")
    if meaning.ratio == meaning.quality:
        raise ConfigInvalid(f"--ratio and --quality must be two objectives, got {meaning.quality} for both.")
    path = sqlite_path(parse_url(url))
    if path is not None and not path.exists():
        raise NotFound(f"there is no Optuna storage {path}; name its file, or its URL.")
    storage = open_storage(url)
    if name not in optuna.get_all_study_names(storage):
        known = ", ".join(optuna.get_all_study_names(storage)) or "none"
        raise NotFound(f"Optuna study {name!r} is not in {mask_passwords(url)}, which holds {known}.")
    study = optuna.load_study(study_name=name, storage=storage)
    for position in (meaning.quality, meaning.ratio or 0):
        if not 0 <= position < len(study.directions):
            raise ConfigInvalid(f"an objective must be 0 to {len(study.directions) - 1} in {name!r}, got {position}.")
    return [_imported(trial, meaning) for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def _frozen(row: Mapping[str, Any], objectives: Sequence[str], known: Mapping[str, BaseDistribution]) -> FrozenTrial:
    from optuna.trial import FrozenTrial

    values = [row[metric] for metric in objectives]
    params = {name: encode(value) for name, value in row["params"].items()}
    state = _state(row["state"], all(value is not None for value in values))
    metrics = {
        key: row[key] for name in METRICS for key in (name, f"{name}.low", f"{name}.high") if row.get(key) is not None
    }
    attributes = {
        key: row[key] for key in ("state", "reason", "n", "duplicate_of", "config_hash") if row[key] is not None
    }
    return FrozenTrial(
        number=row["number"],
        trial_id=-1,  # given by the storage
        state=state,
        value=None,
        values=values if state.name == "COMPLETE" else None,
        datetime_start=_local(row["created_at"]),
        datetime_complete=_local(row["finished_at"]),
        params=params,
        distributions={name: known[name] for name in params},
        user_attrs={**attributes, **metrics},
        system_attrs={},
        intermediate_values={},
    )


def _state(ours: str, has_values: bool) -> TrialState:
    from optuna.trial import TrialState

    if ours == "COMPLETE" and has_values:
        return TrialState.COMPLETE
    return TrialState.PRUNED if ours in ("PRUNED", "SKIPPED") else TrialState.FAIL


def _local(moment: datetime | None) -> datetime | None:
    """Convert to local time without a zone, as Optuna stores it."""
    return None if moment is None else moment.astimezone().replace(tzinfo=None)


def _distributions(
    rows: Sequence[Mapping[str, Any]], search: Mapping[str, Any]
) -> Iterator[tuple[str, BaseDistribution]]:
    """Distribution of each parameter: as in the spec, or over the values used where the spec has none."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    for name in dict.fromkeys(name for row in rows for name in row["params"]):
        used = [encode(row["params"][name]) for row in rows if name in row["params"]]
        entry = search.get(name) or {}
        for key, kind in (("float", FloatDistribution), ("int", IntDistribution)):
            if key in entry:
                low, high = min(entry[key][0], *used), max(entry[key][1], *used)
                yield name, kind(low, high, log=bool(entry.get("log")))
                break
        else:
            yield name, CategoricalDistribution(list(dict.fromkeys([*map(encode, entry.get("choice") or ()), *used])))


def _imported(trial: FrozenTrial, meaning: Meaning) -> ImportedTrial:
    params = dict(trial.params)
    if trial.state.name != "COMPLETE":
        known = meaning.model_weights
        counts = None if known is None else WeightCounts(meaning.target_weights, known, 0, 0)
        return ImportedTrial(params, counts, (), meaning.measure, f"{trial.state.name} in Optuna")
    value = trial.values[meaning.quality]
    if meaning.measure == "accuracy" and not 0 <= value <= 1:
        raise ConfigInvalid(
            f"an accuracy must be between 0 and 1, got {value} in trial {trial.number}; is it in percent?"
        )
    size = meaning.model_weights or round(trial.values[meaning.ratio or 0] * meaning.target_weights)
    if size < 1:
        raise ConfigInvalid(f"a compression ratio must be above 0, got {trial.values} in trial {trial.number}.")
    seconds = trial.duration.total_seconds() if trial.duration is not None else 0.0
    run = ImportedRun(seed=0, cells={("test", 1, 1): value}, seconds=seconds)
    return ImportedTrial(params, WeightCounts(meaning.target_weights, size, 0, 0), [run], meaning.measure)

"""Export of studies to Optuna, for example for optuna-dashboard, and import of Optuna studies.

Optuna stores one number per objective and trial. So an exported trial has the mean over seeds as its value and
everything else as user attributes, and an imported one has one evaluation: no matrix, no forgetting, no seeds.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from hnet_core.trial import Measure
from studies.database.schema import RUNNING
from studies.database.urls import mask_passwords
from studies.metrics.definitions import METRICS, SELECTED_BY
from studies.queries.record import StudyRecord
from studies.queries.studies import Studies
from studies.spec.constraints import parse_bound, violation
from studies.spec.ranges import encode
from studies.store.csv_rows import MAX_WEIGHTS
from studies.store.imported_trials import ImportedRun, ImportedTrial, ImportedWeights, setting_names, setting_value
from studies.store.store import StudyExists
from sweeps.search.optuna_source import check_target, read_study
from sweeps.search.optuna_studies import open_storage

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, TrialState

ORIGIN = "exported_from"  # user attribute of an exported study
QUALITY_DIRECTIONS = {"accuracy": "MAXIMIZE", "mse": "MINIMIZE"}


def to_optuna(
    studies: Studies, name: str, url: str, progress: Callable[[str, int, int], None] | None = None
) -> int:  # fmt: skip
    """Write a study as an Optuna study of the same name into an Optuna storage; return the number of trials written.

    Values are means over seeds on the test split, constraints are Optuna's, so that its best trials are the front by
    these values. A trial without a value for each objective is FAIL or PRUNED there; one that is still RUNNING is left
    out. Where an export of this study is there already, the trials that it lacks are added: those that were left out or
    have come since, or all behind the place where it was interrupted.

    Args:
        progress: called with the step, the trials of it that are written, and their number.

    Raises:
        StudyExists: if the storage has another study of that name, or an export of this one that lacks nothing.
        DatabaseForeign, SchemaOutdated: if the target is of another program, or of another version of Optuna.
    """
    record = studies.study(name)
    rows = [row for row in studies.trial_rows(name).dicts() if row["state"] != RUNNING]
    check_target(url)
    target = _target(record, url)
    there = {trial.user_attrs["number"] for trial in target.get_trials(deepcopy=False)}
    missing = [row for row in rows if row["number"] not in there]
    if there and not missing:
        raise StudyExists(f"study {name!r} is in {mask_passwords(url)} already, with all its trials.")
    known = dict(_distributions(rows, record.spec.get("search") or {}))
    for done, row in enumerate(missing):
        if progress is not None:
            progress(f"writing {name}", done, len(missing))
        target.add_trial(_frozen(row, list(record.objectives), record.constraints, known))
    return len(missing)


def _target(record: StudyRecord, url: str) -> optuna.Study:
    """Return the Optuna study that exports of a study go to; raises StudyExists where that name is taken."""
    import optuna

    storage, origin = open_storage(url), f"hnet study {record.uuid}"
    if record.name in optuna.get_all_study_names(storage):
        found = optuna.load_study(storage=storage, study_name=record.name)
        if found.user_attrs.get(ORIGIN) != origin or any("number" not in one.user_attrs for one in found.trials):
            raise StudyExists(
                f"another Optuna study {record.name!r} is in {mask_passwords(url)} already; name another storage."
            )
        return found
    directions = [optuna.study.StudyDirection[one.upper()] for one in record.objectives.values()]
    made = optuna.create_study(storage=storage, study_name=record.name, directions=directions)
    made.set_user_attr(ORIGIN, origin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ExperimentalWarning: names of objectives have been there since 3.2
        made.set_metric_names(list(record.objectives))
    return made


def goes_by_validation(studies: Studies, name: str) -> bool:
    """Return whether the front of a study is chosen by values that its export to Optuna does not have as objectives."""
    decisive = [SELECTED_BY[metric] for metric in studies.study(name).objectives if metric in SELECTED_BY]
    if not decisive:
        return False
    rows = studies.trial_rows(name, "state == 'COMPLETE' and duplicate_of is None", columns=decisive).dicts()
    return any(value is not None for row in rows for value in row.values())


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


def from_optuna(
    url: str, name: str, meaning: Meaning, remark: Callable[[str], None] | None = None
) -> list[ImportedTrial]:
    """Read the finished trials of an Optuna study, each COMPLETE one with one evaluation of one task.

    Numbers stay; PRUNED is PRUNED, and a trial whose values cannot be what they are said to be is FAILED. The storage
    is only read.

    Args:
        remark: called with a warning where trials break constraints, of which hnet knows no bounds.

    Raises:
        NotFound: if the storage or the study is not there.
        DatabaseForeign, SchemaOutdated: if it is no Optuna storage, or one of another version.
        ConfigInvalid: if the study does not have the objectives named, one goes the other way, most accuracies are not
            between 0 and 1, or a parameter is called like a column of hnet.
    """
    if (meaning.ratio is None) == (meaning.model_weights is None):
        raise ConfigInvalid("the size of each model must come from --ratio or from --model-weights; give one of them.")
    if meaning.ratio == meaning.quality:
        raise ConfigInvalid(f"--ratio and --quality must be two objectives, got {meaning.quality} for both.")
    directions, trials = read_study(url, name)
    _check_directions(name, [direction.name for direction in directions], meaning)
    finished = [trial for trial in trials if trial.state.is_finished()]
    _check_not_percent(finished, meaning)
    theirs = list(dict.fromkeys(name for trial in finished for name in trial.params))
    names = dict(zip(theirs, setting_names(theirs), strict=True))
    broken = [trial.number for trial in finished if any(value > 0 for value in trial.system_attrs.get(_BROKEN) or ())]
    if broken and remark is not None:
        shown = ", ".join(map(str, broken[:10])) + (", ..." if len(broken) > 10 else "")
        remark(f"warning: trials that break constraints in Optuna count here like any other: {shown}.")
    return [_imported(trial, names, meaning) for trial in finished]


_BROKEN = "constraints"  # Optuna's own key: values above 0 are broken constraints


def _frozen(
    row: Mapping[str, Any],
    objectives: Sequence[str],
    constraints: Mapping[str, str],
    known: Mapping[str, BaseDistribution],
) -> FrozenTrial:
    from optuna.trial import FrozenTrial

    values = [row[metric] for metric in objectives]
    params = {name: encode(value) for name, value in row["params"].items()}
    state = _state(row["state"], all(value is not None for value in values))
    metrics = {
        key: row[key] for name in METRICS for key in (name, f"{name}.low", f"{name}.high") if row.get(key) is not None
    }
    attributes = {
        key: row[key]
        for key in ("number", "state", "reason", "n", "duplicate_of", "config_hash")
        if row[key] is not None
    }
    frozen = FrozenTrial(
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
    for metric, bound in constraints.items():
        frozen.set_constraint(metric, violation(row[metric], *parse_bound(metric, bound)))
    if row["duplicate_of"] is not None:
        frozen.set_constraint("duplicate", 1.0)  # its original stands for it on the front
    return frozen


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


def _check_directions(name: str, directions: Sequence[str], meaning: Meaning) -> None:
    wanted: dict[int, tuple[str, str, str]] = {
        meaning.quality: ("--quality", meaning.measure, QUALITY_DIRECTIONS[meaning.measure])
    }
    if meaning.ratio is not None:
        wanted[meaning.ratio] = ("--ratio", "compression ratio", "MINIMIZE")
    for position, (option, what, direction) in wanted.items():
        if not 0 <= position < len(directions):
            raise ConfigInvalid(f"an objective must be 0 to {len(directions) - 1} in {name!r}, got {position}.")
        if directions[position] != direction:
            raise ConfigInvalid(
                f"{option} must name an objective that Optuna was asked to {direction.lower()}, as a good {what} is "
                f"{'high' if direction == 'MAXIMIZE' else 'low'}, got objective {position} of {name!r}: "
                f"{directions[position].lower()}; name another objective or --measure."
            )


def _check_not_percent(finished: Sequence[FrozenTrial], meaning: Meaning) -> None:
    """Refuse a study most of whose accuracies cannot be any; single and infinite ones make their trials FAILED."""
    told = {trial.number: trial.values[meaning.quality] for trial in finished if trial.state.name == "COMPLETE"}
    values = {number: value for number, value in told.items() if math.isfinite(value)}
    outside = [number for number, value in values.items() if not 0 <= value <= 1]
    if meaning.measure == "accuracy" and 2 * len(outside) > len(values):
        first = outside[0]
        raise ConfigInvalid(
            f"an accuracy must be between 0 and 1, got {values[first]} in trial {first}; is it in percent?"
        )


def _imported(trial: FrozenTrial, names: Mapping[str, str], meaning: Meaning) -> ImportedTrial:
    one = ImportedTrial(
        number=trial.number,
        params={names[name]: setting_value(value) for name, value in trial.params.items()},
        weights=None,
        runs=(),
        measure=meaning.measure,
    )
    state, target = trial.state.name, meaning.target_weights
    reason = _why_impossible(trial.values, meaning) if state == "COMPLETE" else f"{state} in Optuna"
    if reason is not None:
        weights = None if meaning.model_weights is None else ImportedWeights(target, meaning.model_weights)
        return replace(one, weights=weights, state="PRUNED" if state == "PRUNED" else "FAILED", reason=reason)
    seconds = max(0.0, trial.duration.total_seconds()) if trial.duration is not None else 0.0
    run = ImportedRun(seed=0, cells={("test", 1, 1): trial.values[meaning.quality]}, seconds=seconds)
    return replace(one, weights=ImportedWeights(target, _size(trial.values, meaning)), runs=[run], n_tasks=1)


def _why_impossible(values: Sequence[float], meaning: Meaning) -> str | None:
    """Explain why the values of a trial cannot be a measurement, None where they can."""
    quality = values[meaning.quality]
    if not math.isfinite(quality):
        return f"the {meaning.measure} must be a number, got {quality}"
    if meaning.measure == "accuracy" and not 0 <= quality <= 1:
        return f"an accuracy must be between 0 and 1, got {quality}"
    if quality < 0:
        return f"an mse must be 0 or more, got {quality}"
    ratio = 1.0 if meaning.ratio is None else values[meaning.ratio]
    if not math.isfinite(ratio) or not 1 <= _size(values, meaning) <= MAX_WEIGHTS:
        return f"the compression ratio must give 1 to {MAX_WEIGHTS:,} weights, got {ratio}"
    return None


def _size(values: Sequence[float], meaning: Meaning) -> int:
    if meaning.ratio is None:
        return meaning.model_weights or 0
    return round(values[meaning.ratio] * meaning.target_weights)

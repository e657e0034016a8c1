"""Search of a database for the trial that measures a published cell, in full or reduced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from hnet_core.dotted_keys import MISSING, flatten
from hnet_core.trial import BYTES_PER_WEIGHT, UNHASHED_TRAINING_KEYS, TrialConfig
from reports.analysis.measurability import NO_ENTRY, known_trial
from reports.data.published_cells import Configuration, MeasuredBy, PublishedCell, Scale
from reports.formatting import parameter
from studies.metrics.definitions import METRICS
from studies.spec.continuation import filled
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, t_interval

if TYPE_CHECKING:
    from studies.queries.studies import Studies

# Settings in which a run may do less than the published one and is then labelled reduced, not another configuration.
REDUCED_BELOW = ("training.iterations", "training.epochs", "stream.n_tasks")
REDUCED_ABOVE = ("stream.validation",)

PERCENT = 100.0
MEBIBYTE = 2**20
MAX_NEAREST = 3

_NO_RESULTS = frozenset(f"training.{key}" for key in UNHASHED_TRAINING_KEYS)

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class FinishedTrial:
    """A finished configuration of a study."""

    study: str
    number: int
    config: Mapping[str, Any]
    n_seeds: int

    @cached_property
    def settings(self) -> Settings:
        return settings_of(self.config)


@dataclass(frozen=True)
class Match:
    """A finished trial against a way to measure a cell: wrong and reduced settings in words."""

    trial: FinishedTrial
    way: MeasuredBy
    wrong: tuple[str, ...]
    reduced: tuple[str, ...]

    @property
    def rank(self) -> tuple[float, ...]:
        """Order of preference, least first: full ones, reduced ones by their length, then by seeds."""
        length = self.trial.settings.get("training.iterations", self.trial.settings.get("training.epochs", 0))
        return (bool(self.reduced), -length if self.reduced else 0, -self.trial.n_seeds)


@dataclass(frozen=True)
class Measurement:
    """Runs of one trial that measure a published cell.

    Attributes:
        values: of `metric`, times `factor`: in the unit of the paper.
        reduced: settings below those of the paper.
    """

    study: str
    number: int
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    metric: str
    factor: float
    reduced: tuple[str, ...] = ()
    seconds: float | None = None

    @property
    def interval(self) -> Interval:
        return bounded(self.metric, t_interval(self.values), self.factor)


class FinishedTrials:
    """The finished trials of some studies, read once."""

    def __init__(self, studies: Studies | None, names: Sequence[str] | None = None) -> None:
        """Read them; without names those of all studies, archived ones left out; without a database none."""
        self._studies = studies
        self._runs: dict[tuple[str, int], list[dict[str, Any]]] = {}
        self.trials = [] if studies is None else list(_finished(studies, names))
        self._by_parts: dict[tuple[Any, ...], list[FinishedTrial]] = {}
        for trial in self.trials:
            self._by_parts.setdefault(_parts(trial.config), []).append(trial)

    def best(self, cell: PublishedCell) -> Match | None:
        """Return the best trial for a cell: not reduced, then the most seeds, then the preferred way.

        A trial without a value of its metric, which an earlier hnet did not measure, is taken only where no other is.
        """
        ranked = sorted(self.fitting(cell), key=lambda one: one.rank)
        return next((one for one in ranked if self.has_values(one.way, one.trial)), ranked[0] if ranked else None)

    def fitting(self, cell: PublishedCell) -> Iterator[Match]:
        """Yield every trial that measures a cell, in full or reduced, by preference of the way."""
        for way in cell.measured_by:
            yield from (one for one in self._matches(way) if not one.wrong)

    def exact(self, way: MeasuredBy, scale: Scale, least_seeds: int = 1) -> Iterator[FinishedTrial]:
        """Yield the trials of a way at exactly one scale that have so many seeds."""
        config = known_trial(way.configuration, scale)
        if config is None or way.metric_name not in METRICS:
            return
        wanted = _settings(config)
        for trial in self._by_parts.get(_parts(config.model_dump()), ()):
            differing = {name for name in (*wanted, *trial.settings) if wanted.get(name) != trial.settings.get(name)}
            if trial.n_seeds >= least_seeds and all(_is_free(name, way.configuration.free) for name in differing):
                yield trial

    def nearest(self, cell: PublishedCell) -> str:
        """Explain why no trial matches, with the differing settings of the nearest one where they are few."""
        if cell.reason:
            return cell.reason
        if not cell.measured_by:
            return NO_ENTRY
        if not self.trials:
            return "not measured: the database has no finished trial"
        matches = [one for way in cell.measured_by for one in self._matches(way)]
        nearest = min(matches, key=lambda one: len(one.wrong), default=None)
        if nearest is None or len(nearest.wrong) > MAX_NEAREST:
            return "not measured: no trial comes near its configuration"
        trial = nearest.trial
        return f"not measured; nearest is trial {trial.number} of {trial.study}: {'; '.join(nearest.wrong)}"

    def measure(self, cell: PublishedCell, found: Match) -> Measurement:
        """Read the values of the metric in the unit of the paper, one per seed."""
        name = found.way.metric_name
        values = {seed: value for seed, value in self._values(found.way, found.trial).items() if value is not None}
        seconds = [row["seconds"] for row in self._rows(found.trial)]
        return Measurement(
            study=found.trial.study,
            number=found.trial.number,
            seeds=tuple(values),
            values=tuple(value * factor_of(cell.unit, name) for value in values.values()),
            reduced=found.reduced,
            metric=name,
            factor=factor_of(cell.unit, name),
            seconds=None if None in seconds or not seconds else sum(seconds) / len(seconds),
        )

    def has_values(self, way: MeasuredBy, trial: FinishedTrial) -> bool:
        """Return whether any seed of a trial has the metric."""
        return any(value is not None for value in self._values(way, trial).values())

    def _values(self, way: MeasuredBy, trial: FinishedTrial) -> dict[int, float | None]:
        """Return the value of each seed, seeds ascending."""
        import numpy as np

        rows, task = self._rows(trial), way.task
        if task is None:
            return {int(row["seed"]): row[way.metric_name] for row in rows}
        assert self._studies is not None
        matrices = self._studies.matrices(trial.study, trial.number)  # (n_seeds, T + 1, T)
        measured = matrices[:, task, task - 1] if task <= matrices.shape[2] else np.full(len(rows), np.nan)
        return {
            int(row["seed"]): None if np.isnan(value) else float(value)
            for row, value in zip(rows, measured, strict=True)
        }

    def _rows(self, trial: FinishedTrial) -> list[dict[str, Any]]:
        key = (trial.study, trial.number)
        if key not in self._runs:
            assert self._studies is not None
            rows = self._studies.run_rows(trial.study, where=f"number == {trial.number}", sort="seed")
            self._runs[key] = list(rows.dicts())
        return self._runs[key]

    def _matches(self, way: MeasuredBy) -> Iterator[Match]:
        config = known_trial(way.configuration)
        if config is not None and way.metric_name in METRICS:
            candidates = self._by_parts.get(_parts(config.model_dump()), ())
            yield from (match(way, trial) for trial in candidates)


def _finished(studies: Studies, names: Sequence[str] | None) -> Iterator[FinishedTrial]:
    for name in [row["name"] for row in studies.study_rows().dicts()] if names is None else names:
        for row in studies.ledger(name):
            if row["state"] == "COMPLETE" and row["duplicate_of"] is None:
                yield FinishedTrial(name, int(row["number"]), row["config"], len(row["seeds"]))


def match(way: MeasuredBy, trial: FinishedTrial) -> Match:
    """Compare the settings of a trial with those of a published configuration.

    It may do less than that in REDUCED_BELOW and REDUCED_ABOVE, or as a smaller scale of the configuration does.
    """
    wanted, scaled = _wanted(way.configuration)
    wrong: list[str] = []
    reduced: list[str] = []
    for name in dict.fromkeys((*wanted, *trial.settings)):
        value, actual = wanted.get(name, MISSING), trial.settings.get(name, MISSING)
        if actual == value or _is_free(name, way.configuration.free):
            continue
        is_reduced = _is_less(name, actual, value) or any(one.get(name, MISSING) == actual for one in scaled)
        (reduced if is_reduced else wrong).append(_instead(name, actual, value))
    return Match(trial, way, tuple(wrong), tuple(reduced))


def settings_of(config: Mapping[str, Any]) -> Settings:
    """Return the settings of a stored configuration that decide its result, by dotted name.

    A key that was not written because it had its default, or did not exist yet, has its default.
    """
    complete = flatten(filled(config))
    return {name: value for name, value in complete if value is not None and name not in _NO_RESULTS}


@cache
def _wanted(configuration: Configuration) -> tuple[Settings, tuple[Settings, ...]]:
    """Return the settings of the full configuration, and those of its smaller scales."""
    full, *scaled = (known_trial(configuration, scale) for scale in configuration.blocks)
    assert full is not None
    return _settings(full), tuple(_settings(config) for config in scaled if config is not None)


def _settings(config: TrialConfig) -> Settings:
    return settings_of(config.model_dump(mode="json"))


def _parts(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the settings that two trials share if one can measure for the other."""
    return tuple(config[part]["name"] for part in ("stream", "method", "target"))


def _is_free(name: str, free: Sequence[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in free)


def _is_less(name: str, actual: Any, wanted: Any) -> bool:
    sign = 1 if name in REDUCED_BELOW else -1 if name in REDUCED_ABOVE else 0
    if not sign or not isinstance(wanted, int | float):
        return False
    return not isinstance(actual, int | float) or sign * actual < sign * wanted


def _instead(name: str, actual: Any, wanted: Any) -> str:
    shown, expected = ("not set" if value is MISSING else parameter(value) for value in (actual, wanted))
    return f"{name} {shown} instead of {expected}"


def factor_of(unit: str, metric: str) -> float:
    """Return the factor from a metric to the unit of a paper."""
    if unit == "percent" and METRICS[metric].kind == "matrix":
        return PERCENT
    if unit == "MiB":
        return (BYTES_PER_WEIGHT if metric.endswith("_weights") else 1) / MEBIBYTE
    return 1.0

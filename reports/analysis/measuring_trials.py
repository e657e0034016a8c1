"""Search of a database for the trial that measures a published cell, in full or reduced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from hnet_core.dotted_keys import MISSING
from hnet_core.trial import BYTES_PER_WEIGHT, TrialConfig
from reports.analysis.measurability import NO_ENTRY, known_trial
from reports.analysis.similar_trials import (
    FinishedTrial,
    Settings,
    SimilarTrials,
    Wanted,
    group_similar,
    settings_of,
)
from reports.data.published_cells import Configuration, MeasuredBy, PublishedCell, Scale
from reports.formatting import parameter
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, t_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studies.queries.studies import Studies

PERCENT = 100.0
MEBIBYTE = 2**20
MAX_NEAREST = 3
PARTS = ("stream.name", "method.name", "target.name")  # shared by trials of which one can measure for the other


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
        seconds: training time of the fastest seed, since other work of the machine can only add to it; None: unknown.
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
        self._groups = [] if studies is None else group_similar(_finished(studies, names))

    def best(self, cell: PublishedCell) -> Match | None:
        """Return the best trial for a cell: not reduced, then the most seeds, then the preferred way.

        A trial without a value of its metric, which an earlier hnet did not measure, is taken only where no other is.
        """
        ranked = sorted(self.fitting(cell), key=lambda one: one.rank)
        return next((one for one in ranked if self.has_values(one.way, one.trial)), ranked[0] if ranked else None)

    def fitting(self, cell: PublishedCell) -> Iterator[Match]:
        """Yield every trial that measures a cell, in full or reduced, by preference of the way."""
        for way in cell.measured_by:
            yield from (match(way, trial) for trial in self._with_fewest_wrong(way, at_most=0))

    def exact(self, way: MeasuredBy, scale: Scale, least_seeds: int = 1) -> Iterator[FinishedTrial]:
        """Yield the trials of a way at exactly one scale that have so many seeds."""
        config = known_trial(way.configuration, scale)
        if config is None or way.metric_name not in METRICS:
            return
        wanted = Wanted(_settings(config), free=way.configuration.free)
        counted = [(group, *group.count_differences(wanted)) for group in self._comparable(config)]
        yield from _in_order(
            (group, (wrong + reduced == 0) & (group.seeds >= least_seeds)) for group, wrong, reduced in counted
        )

    def nearest(self, cell: PublishedCell) -> str:
        """Explain why no trial matches, with the differing settings of the nearest one where they are few."""
        if cell.reason:
            return cell.reason
        if not cell.measured_by:
            return NO_ENTRY
        if not self._groups:
            return "not measured: the database has no finished trial"
        firsts = ((way, next(iter(self._with_fewest_wrong(way, MAX_NEAREST)), None)) for way in cell.measured_by)
        matches = [match(way, trial) for way, trial in firsts if trial is not None]
        nearest = min(matches, key=lambda one: len(one.wrong), default=None)
        if nearest is None:
            return "not measured: no trial comes near its configuration"
        trial = nearest.trial
        return f"not measured; nearest is trial {trial.number} of {trial.study}: {'; '.join(nearest.wrong)}"

    def measure(self, cell: PublishedCell, found: Match) -> Measurement:
        """Read the values of the metric in the unit of the paper, one per seed."""
        name = found.way.metric_name
        values = {seed: value for seed, value in self._values(found.way, found.trial).items() if value is not None}
        seconds = [row["seconds"] for row in self._rows(found.trial) if row["seconds"] is not None]
        return Measurement(
            study=found.trial.study,
            number=found.trial.number,
            seeds=tuple(values),
            values=tuple(value * factor_of(cell.unit, name) for value in values.values()),
            reduced=found.reduced,
            metric=name,
            factor=factor_of(cell.unit, name),
            seconds=min(seconds, default=None),
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

    def _with_fewest_wrong(self, way: MeasuredBy, at_most: int) -> Iterator[FinishedTrial]:
        """Yield the trials with the fewest wrong settings for a way, in the order of the database."""
        config = known_trial(way.configuration)
        if config is None or way.metric_name not in METRICS:
            return
        counted = [
            (group, group.count_differences(_wanted(way.configuration))[0]) for group in self._comparable(config)
        ]
        fewest = min((int(wrong.min()) for _, wrong in counted), default=at_most + 1)
        if fewest <= at_most:
            yield from _in_order((group, wrong == fewest) for group, wrong in counted)

    def _comparable(self, config: TrialConfig) -> list[SimilarTrials]:
        """List the groups whose trials may measure what a configuration does."""
        wanted = _settings(config)
        return [
            group for group in self._groups if all(group.first.settings.get(part) == wanted[part] for part in PARTS)
        ]


def _finished(studies: Studies, names: Sequence[str] | None) -> Iterator[tuple[str, int, int, Mapping[str, Any]]]:
    for name in [row["name"] for row in studies.study_rows().dicts()] if names is None else names:
        yield from ((name, *found) for found in studies.finished_configs(name))


def _in_order(chosen: Iterable[tuple[SimilarTrials, NDArray[np.bool_]]]) -> Iterator[FinishedTrial]:
    """Yield the chosen trials of each group, in the order of the database."""
    found = [(group.ids[place][0], place, group) for group, mask in chosen for place in mask.nonzero()[0].tolist()]
    yield from (group.trial(place) for _, place, group in sorted(found, key=itemgetter(0)))


def match(way: MeasuredBy, trial: FinishedTrial) -> Match:
    """Compare the settings of a trial with those of a published configuration.

    It may do less than that in REDUCED_BELOW and REDUCED_ABOVE, or as a smaller scale of the configuration does.
    """
    wanted = _wanted(way.configuration)
    found: dict[str, list[str]] = {"equal": [], "reduced": [], "wrong": []}
    for name in dict.fromkeys((*wanted.full, *trial.settings)):
        if not wanted.is_free(name):
            value, actual = wanted.full.get(name, MISSING), trial.settings.get(name, MISSING)
            found[wanted.difference(name, actual)].append(_instead(name, actual, value))
    return Match(trial, way, tuple(found["wrong"]), tuple(found["reduced"]))


@cache
def _wanted(configuration: Configuration) -> Wanted:
    full, *scaled = (known_trial(configuration, scale) for scale in configuration.blocks)
    assert full is not None
    return Wanted(_settings(full), tuple(_settings(one) for one in scaled if one is not None), configuration.free)


def _settings(config: TrialConfig) -> Settings:
    return settings_of(config.model_dump(mode="json"))


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

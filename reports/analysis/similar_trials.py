"""Settings of finished trials as columns, so that a large study is compared with a published configuration at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from hnet_core.dotted_keys import MISSING, flatten
from hnet_core.trial import UNHASHED_TRAINING_KEYS
from studies.spec.continuation import filled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Settings in which a run may do less than the published one, down to its smallest scale: it is labelled reduced and is
# not another configuration.
REDUCED_BELOW = ("training.iterations", "training.epochs", "stream.n_tasks")
REDUCED_ABOVE = ("stream.validation",)

_NO_RESULTS = frozenset(f"training.{key}" for key in UNHASHED_TRAINING_KEYS)

Settings = Mapping[str, Any]
Difference = Literal["equal", "reduced", "wrong"]


@dataclass(frozen=True)
class FinishedTrial:
    """A finished configuration of a study, with the settings that decide its result."""

    study: str
    number: int
    settings: Settings
    n_seeds: int


@dataclass(frozen=True)
class Wanted:
    """The settings of a published configuration.

    Attributes:
        full: of the published training.
        scaled: of its smaller scales.
        free: dotted fields that do not matter, or blocks such as "training".
    """

    full: Settings
    scaled: tuple[Settings, ...] = ()
    free: tuple[str, ...] = ()

    def is_free(self, name: str) -> bool:
        return any(name == one or name.startswith(f"{one}.") for one in self.free)

    def difference(self, name: str, actual: Any) -> Difference:
        """Compare one setting of a trial, MISSING if it has none, with what is wanted."""
        value = self.full.get(name, MISSING)
        if actual == value:
            return "equal"
        if any(one.get(name, MISSING) == actual for one in self.scaled):
            return "reduced"
        return "reduced" if _is_less(name, actual, value) and not self._is_too_little(name, actual) else "wrong"

    def _is_too_little(self, name: str, actual: Any) -> bool:
        """Return whether it is less than at any scale, as in a training of one step that only counts weights."""
        if name not in REDUCED_BELOW or not isinstance(actual, int | float):
            return False
        smaller = [one[name] for one in self.scaled if name in one and _is_less(name, one[name], self.full.get(name))]
        return bool(smaller) and actual < min(smaller)


def _is_less(name: str, actual: Any, wanted: Any) -> bool:
    sign = 1 if name in REDUCED_BELOW else -1 if name in REDUCED_ABOVE else 0
    if not sign or not isinstance(wanted, int | float):
        return False
    return not isinstance(actual, int | float) or sign * actual < sign * wanted


def settings_of(config: Mapping[str, Any]) -> Settings:
    """Return the settings of a stored configuration that decide its result, by dotted name.

    A key that was not written because it had its default, or did not exist yet, has its default.
    """
    complete = flatten(filled(config))
    return {name: value for name, value in complete if value is not None and name not in _NO_RESULTS}


@dataclass
class SimilarTrials:
    """Trials whose configurations have the same keys and the same components.

    Attributes:
        defaults: settings that no configuration of them holds.
        names: those that all of them hold.
        ids: position among all trials, study, number and seeds of each trial.
        rows: the values of `names`, a tuple per trial.
    """

    defaults: Settings
    names: tuple[str, ...]
    ids: list[tuple[int, str, int, int]] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def trial(self, index: int) -> FinishedTrial:
        """Return one of the trials."""
        _, study, number, n_seeds = self.ids[index]
        own = zip(self.names, self.rows[index], strict=True)
        kept = {name: value for name, value in own if value is not None and name not in _NO_RESULTS}
        return FinishedTrial(study, number, {**self.defaults, **kept}, n_seeds)

    @cached_property
    def first(self) -> FinishedTrial:
        return self.trial(0)

    @cached_property
    def seeds(self) -> NDArray[np.int_]:
        """Finished seeds, (n_trials,)."""
        import numpy as np

        return np.array([n_seeds for *_, n_seeds in self.ids], dtype=int)

    def count_differences(self, wanted: Wanted) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Return the number of wrong and of reduced settings of each trial, both (n_trials,)."""
        import numpy as np

        kinds: tuple[Difference, ...] = ("equal", "reduced", "wrong")
        counts = {kind: np.zeros(len(self.ids), dtype=int) for kind in kinds}
        for name in dict.fromkeys((*wanted.full, *self.defaults, *self._columns)):
            if wanted.is_free(name):
                continue
            column = self._columns.get(name)
            if column is None:
                counts[wanted.difference(name, self.defaults.get(name, MISSING))] += 1
            else:
                for kind, mask in column.differences(name, wanted).items():
                    counts[kind] += mask
        return counts["wrong"], counts["reduced"]

    @cached_property
    def _columns(self) -> dict[str, _Column]:
        columns = zip(self.names, zip(*self.rows, strict=True), strict=True)
        return {name: _Column(values) for name, values in columns if name not in _NO_RESULTS}


class _Column:
    """One setting of many trials: its distinct values, and which of them each trial has."""

    def __init__(self, values: Sequence[Any]) -> None:
        import numpy as np

        self._places: dict[Any, int] = {}
        self._values: list[Any] = []
        places = []
        for value in values:
            place = self._places.setdefault(_hashable(value), len(self._values))
            if place == len(self._values):
                self._values.append(MISSING if value is None else value)
            places.append(place)
        self._place_of = np.array(places, dtype=np.int32)  # of each trial

    def differences(self, name: str, wanted: Wanted) -> dict[Difference, NDArray[np.bool_]]:
        """Return which trials have a reduced and which a wrong value, two masks (n_trials,)."""
        import numpy as np

        reduced, wrong = np.zeros(len(self._values), dtype=bool), np.ones(len(self._values), dtype=bool)
        if name in (*REDUCED_BELOW, *REDUCED_ABOVE):
            looked_at: Iterable[int] = range(len(self._values))
        else:  # any value that no scale has is wrong, and there may be one per trial
            asked = {_hashable(each.get(name)) for each in (wanted.full, *wanted.scaled)}
            looked_at = [self._places[key] for key in asked if key in self._places]
        for place in looked_at:
            difference = wanted.difference(name, self._values[place])
            reduced[place], wrong[place] = difference == "reduced", difference == "wrong"
        return {"reduced": reduced[self._place_of], "wrong": wrong[self._place_of]}


def group_similar(trials: Iterable[tuple[str, int, int, Mapping[str, Any]]]) -> list[SimilarTrials]:
    """Group trials by the keys and components of their configurations.

    Args:
        trials: study, number, finished seeds and stored configuration of each.
    """
    groups: dict[Any, SimilarTrials] = {}
    for position, (study, number, n_seeds, config) in enumerate(trials):
        pairs = list(flatten(config))
        names = tuple(name for name, _ in pairs)
        key = (names, *(_hashable(value) for name, value in pairs if name.endswith(".name")))
        group = groups.get(key)
        if group is None:
            defaults = {name: value for name, value in settings_of(config).items() if name not in names}
            group = groups[key] = SimilarTrials(defaults, names)
        group.ids.append((position, study, number, n_seeds))
        group.rows.append(tuple(value for _, value in pairs))
    return list(groups.values())


def _hashable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ("mapping", *((key, _hashable(inner)) for key, inner in value.items()))
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value

"""Trials as arrays by column, so that a hundred thousand can be drawn or averaged at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from reports.exact_values import exact_json, map_distinct
from studies.missing import nan_to_none

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reports.data.trial import Trial


class TrialColumns:
    """Some trials by column, in their order; a column is read on first access.

    Args:
        trials: those of one study, so that all are measured in the same columns.
    """

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._trials = trials
        self._at = trials[0].metrics.at if trials else {}
        self._arrays: dict[str, NDArray[np.float64]] = {}
        self._parameters: dict[str, Parameter] = {}

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        """Return a metric, or an end of its interval, (n_trials,), NaN where it was not measured."""
        import numpy as np

        if column not in self._arrays:
            self._arrays[column] = np.array(list(self._stored(column)), dtype=float)
        return self._arrays[column]

    def exact(self, column: str) -> list[float | None]:
        """Return a column as stored: integers as integers, None where it was not measured."""
        return list(map(nan_to_none, self._stored(column)))

    def is_measured(self, column: str) -> bool:
        """Return whether any trial has a value in a column."""
        return any(nan_to_none(value) is not None for value in self._stored(column))

    def parameter(self, name: str) -> Parameter:
        """Return a searched parameter."""
        if name not in self._parameters:
            self._parameters[name] = Parameter([trial.params[name] for trial in self._trials])
        return self._parameters[name]

    def among(self, numbers: Collection[int]) -> NDArray[np.bool_]:
        """Return a mask of the trials with one of these numbers, (n_trials,)."""
        import numpy as np

        return np.isin(self.numbers, list(numbers))

    def where(self, chosen: NDArray[np.bool_]) -> list[Trial]:
        """Return the trials chosen by a mask, (n_trials,)."""
        return [self._trials[place] for place in chosen.nonzero()[0].tolist()]

    @cached_property
    def numbers(self) -> NDArray[np.int_]:
        """The numbers of the trials, (n_trials,)."""
        import numpy as np

        return np.array([trial.number for trial in self._trials], dtype=int)

    def _stored(self, column: str) -> Iterable[Any]:
        if column not in self._at:
            return repeat(None, len(self._trials))
        return map(itemgetter(self._at[column]), self._rows)

    @cached_property
    def _rows(self) -> list[Sequence[Any]]:
        return [trial.metrics.row for trial in self._trials]


class Parameter:
    """A searched parameter over some trials.

    Attributes:
        each: its value in each trial, None where it has none.
    """

    def __init__(self, each: Sequence[Any]) -> None:
        self.each = each

    @cached_property
    def distinct(self) -> dict[str, Any]:
        """Distinct values by their JSON text, in the order they first appear."""
        found = dict(zip(self._keys, self.each, strict=True))
        found.pop("null", None)
        return found

    @cached_property
    def which(self) -> NDArray[np.int_]:
        """Index of each value among the distinct ones, (n_trials,); -1 where there is none."""
        import numpy as np

        places = {key: place for place, key in enumerate(self.distinct)} | {"null": -1}
        return np.array([places[key] for key in self._keys], dtype=int)

    @cached_property
    def is_known(self) -> NDArray[np.bool_]:
        """Mask of the trials that have a value, (n_trials,)."""
        import numpy as np

        return np.array([value is not None for value in self.each], dtype=bool)

    @cached_property
    def is_number(self) -> bool:
        """Return whether all values are numbers."""
        return set(map(type, self.each)) <= {int, float, type(None)}

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The values of a parameter that is a number, (n_trials,), NaN where there is none."""
        import numpy as np

        return np.array(self.each, dtype=float)

    @cached_property
    def space(self) -> dict[str, Any]:
        """Its values as a search space: a range of numbers, logarithmic over two decades or more, else a choice."""
        known = [value for value in self.each if value is not None]
        if not known or not self.is_number:
            return {"choice": list(self.distinct.values())}
        low, high = min(known), max(known)
        kind = "int" if {*map(type, known)} == {int} else "float"
        return {kind: [low, high], "log": low > 0 and high >= 100 * low}

    @cached_property
    def _keys(self) -> list[str]:
        return map_distinct(exact_json, self.each)

"""Scales from data values to pixels: linear, logarithmic and ordinal, with readable ticks."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_LABELS = 8
LABEL_CHARACTER, LABEL_GAP = 8.0, 12.0
WORD_CHARACTER = 7.0  # letters are narrower than digits
MIN_WORD = 5
ZERO_PLACE = 0.08  # share of the axis that the value 0 gets


class Tick(NamedTuple):
    """A place on an axis; an empty label marks a minor tick."""

    value: Any
    label: str


@dataclass(frozen=True)
class LinearScale:
    """Linear scale: equal differences get equal lengths; `is_whole`: only whole numbers get a tick."""

    domain: tuple[float, float]
    pixels: tuple[float, float]
    is_whole: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.domain
        return self.pixels[0] + (value - low) / (high - low) * (self.pixels[1] - self.pixels[0])

    def each(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale an array; the shape stays."""
        low, high = self.domain
        return self.pixels[0] + (values - low) / (high - low) * (self.pixels[1] - self.pixels[0])

    def ticks(self) -> list[Tick]:
        """Return about six ticks at round values."""
        low, high = self.domain
        step = _round_step((high - low) / 6)
        if self.is_whole and step % 1:
            step = 1.0 if step < 1 else 5.0
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        if step * 10**decimals % 1 > 1e-9:  # steps of 2.5 need one more digit
            decimals += 1
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [Tick(i * step, f"{i * step:.{decimals}f}") for i in range(first, last + 1)]


@dataclass(frozen=True)
class LogScale:
    """Logarithmic scale: equal factors get equal lengths; the domain must be positive.

    Attributes:
        is_vertical: labels are above each other.
        unit: the value that the labels call 1.
    """

    domain: tuple[float, float]
    pixels: tuple[float, float]
    is_vertical: bool = False
    unit: float = 1.0

    def __call__(self, value: float) -> float:
        low, high = self.domain
        share = math.log(value / low) / math.log(high / low)
        return self.pixels[0] + share * (self.pixels[1] - self.pixels[0])

    def each(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale an array; the shape stays."""
        import numpy as np

        low, high = self.domain
        share = np.log(values / low) / math.log(high / low)
        return self.pixels[0] + share * (self.pixels[1] - self.pixels[0])

    def ticks(self) -> list[Tick]:
        """Return ticks at one digit times a power of ten, labelled where there is room."""
        if self.unit != 1.0:
            low, high = self.domain
            in_units = replace(self, domain=(low / self.unit, high / self.unit), unit=1.0)
            return [Tick(tick.value * self.unit, tick.label) for tick in in_units.ticks()]
        low, high = self.domain
        inside = [
            (digit, float(f"{digit}e{exponent}"))
            for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for digit in range(1, 10)
            if low * (1 - 1e-9) <= float(f"{digit}e{exponent}") <= high * (1 + 1e-9)
        ]
        for labelled in (range(1, 10), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
            shown = [value for digit, value in inside if digit in labelled]
            if len(shown) < 2:
                break
            if len(shown) <= MAX_LABELS and self._fit(shown):
                return [Tick(value, _number(value) if value in shown else "") for _, value in inside]
        if len(shown) < 2:
            return LinearScale(self.domain, self.pixels).ticks()
        return [Tick(value, _number(value) if i % 3 == 0 else "") for i, value in enumerate(shown)]

    def _fit(self, values: Sequence[float]) -> bool:
        """Return whether labels side by side do not overlap; those above each other never do."""
        if self.is_vertical or self.pixels[0] > self.pixels[1]:
            return True
        return _keep_clear([(self(value), _number(value)) for value in values], LABEL_CHARACTER)


@dataclass(frozen=True)
class ZeroLogScale:
    """Logarithmic scale of positive values with a place for 0 before them.

    Attributes:
        domain: (0, high).
        least: the value at which the logarithmic part begins; there is none between 0 and it.
        unit: the value that the labels call 1.
    """

    domain: tuple[float, float]
    pixels: tuple[float, float]
    least: float
    is_vertical: bool = False
    unit: float = 1.0

    def __call__(self, value: float) -> float:
        return self._at_zero if value < self.least else self._positive(value)

    def each(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale an array; the shape stays."""
        import numpy as np

        placed = self._positive.each(np.maximum(values, self.least))
        return np.where(values < self.least, self._at_zero, placed)

    def ticks(self) -> list[Tick]:
        """Return a tick at 0 and those of the positive values."""
        return [Tick(0.0, "0"), *self._positive.ticks()]

    @property
    def _at_zero(self) -> float:
        return self.pixels[0] + ZERO_PLACE / 2 * (self.pixels[1] - self.pixels[0])

    @cached_property
    def _positive(self) -> LogScale:
        start, end = self.pixels
        pixels = (start + ZERO_PLACE * (end - start), end)
        return LogScale((self.least, self.domain[1]), pixels, self.is_vertical, self.unit)


@dataclass(frozen=True)
class ErrorScale:
    """Scale of shares such as accuracies by their error: equal factors of 1 - value get equal lengths, the best on top.

    Attributes:
        domain: (low, 1): the shares.
        least: the error at the upper end; smaller ones are drawn there.
    """

    domain: tuple[float, float]
    pixels: tuple[float, float]
    least: float

    def __call__(self, value: float) -> float:
        return self._errors(max(1 - value, self.least))

    def each(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale an array; the shape stays."""
        import numpy as np

        return self._errors.each(np.maximum(1 - values, self.least))

    def ticks(self) -> list[Tick]:
        """Return ticks at round errors, labelled by the error."""
        return [Tick(1 - tick.value, tick.label) for tick in self._errors.ticks()]

    @cached_property
    def _errors(self) -> LogScale:
        return LogScale((self.least, 1 - self.domain[0]), (self.pixels[1], self.pixels[0]), is_vertical=True)


@dataclass(frozen=True)
class OrdinalScale:
    """Ordinal scale: each value gets a slot of its own, in the order given.

    Attributes:
        is_ordered: the values are numbers, so that there is something between two of them; labels of those that are
            not are cut to fit, where those of numbers are left out.
    """

    values: tuple[Hashable, ...]
    pixels: tuple[float, float]
    labels: tuple[str, ...]
    is_ordered: bool = True

    def __call__(self, value: Hashable) -> float:
        return self.pixels[0] + (self._places[value] + 0.5) * self.slot

    @property
    def slot(self) -> float:
        """Width of one value in pixels."""
        return (self.pixels[1] - self.pixels[0]) / len(self.values)

    @cached_property
    def _places(self) -> dict[Hashable, int]:
        return {value: place for place, value in enumerate(self.values)}

    def ticks(self) -> list[Tick]:
        """Return a tick for each value, labelled where there is room."""
        if not self.is_ordered:
            for longest in range(max(map(len, self.labels)), MIN_WORD - 1, -1):
                labels = [label if len(label) <= longest else label[: longest - 1] + "…" for label in self.labels]
                places = [(self(value), word) for value, word in zip(self.values, labels, strict=True)]
                if len(set(labels)) == len(set(self.labels)) and _keep_clear(places, WORD_CHARACTER):
                    return [Tick(value, word) for value, word in zip(self.values, labels, strict=True)]
        needed = max(len(label) for label in self.labels) * LABEL_CHARACTER + LABEL_GAP
        every = math.ceil(len(self.values) * needed / abs(self.pixels[1] - self.pixels[0]))
        pairs = zip(self.values, self.labels, strict=True)
        return [Tick(value, label if i % every == 0 else "") for i, (value, label) in enumerate(pairs)]


ContinuousScale = LinearScale | LogScale | ZeroLogScale | ErrorScale
Scale = ContinuousScale | OrdinalScale


def padded(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    """Return the range with a margin on both sides; a single value gets a margin of a tenth of its size."""
    margin = (high - low) * share or abs(high) * 0.1 or 0.1
    return low - margin, high + margin


def padded_log(values: Sequence[float], share: float = 0.05) -> tuple[float, float]:
    """Return a log range around positive values with a margin on both sides."""
    low, high = padded(math.log(min(values)), math.log(max(values)), share)
    if high - low < 0.2:
        low, high = low - 0.1, high + 0.1
    return math.exp(low), math.exp(high)


def _keep_clear(places: Sequence[tuple[float, str]], character: float) -> bool:
    """Return whether labels centred at these pixels do not overlap, with letters of that width."""
    ends = [(at, len(label) * character / 2) for at, label in places]
    return all(abs(b - a) >= half + other + LABEL_GAP / 2 for (a, half), (b, other) in pairwise(ends))


def _number(value: float) -> str:
    """Format a tick; from a million on with the prefixes of units, where `:g` would give an exponent."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= size:
            return f"{value / size:g} {prefix}"
    return f"{value:g}"


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next((factor * power for factor in (1, 2, 2.5, 5) if raw <= factor * power * (1 + 1e-9)), 10 * power)

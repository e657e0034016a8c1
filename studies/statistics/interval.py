"""A mean with its confidence interval."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

MAX_DECIMALS = 9
ROUNDING = 1e-12  # of the size of the numbers: smaller differences are those of rounding


@dataclass(frozen=True)
class Interval:
    """A mean over n runs and its confidence interval; all None at n = 0, no bounds at n = 1."""

    mean: float | None
    low: float | None
    high: float | None
    n: int

    def to_dict(self) -> dict[str, float | int | None]:
        return asdict(self)

    @property
    def has_width(self) -> bool:
        """True if the bounds differ by more than the rounding of numbers of their size."""
        if self.low is None or self.high is None:
            return False
        return self.high - self.low > ROUNDING * (abs(self.low) + abs(self.high))

    def mean_text(self) -> str | None:
        """The mean as `range_text` has its bounds; None where there is no width."""
        return self._text(self.mean)

    def range_text(self) -> str | None:
        """The bounds as `[low, high]`, to two digits of the half-width; None where there is no width."""
        low, high = self._text(self.low), self._text(self.high)
        return None if low is None or high is None else f"[{low}, {high}]"

    def half_width_text(self) -> str | None:
        """The longer side of the interval, as `range_text` has its bounds; None where there is no width."""
        if self.mean is None or self.low is None or self.high is None:
            return None
        return self._text(max(self.high - self.mean, self.mean - self.low))

    def _text(self, value: float | None) -> str | None:
        """Format a value to two digits of the half-width and at least one of the mean, tiny ones with an exponent."""
        if value is None or not self.has_width:
            return None
        assert self.mean is not None and self.low is not None and self.high is not None
        half = (self.high - self.low) / 2
        decimals = 1 - _exponent(half)
        if abs(self.mean) > ROUNDING * half:
            decimals = max(decimals, -_exponent(self.mean))
        if decimals <= MAX_DECIMALS:
            text = f"{value:.{max(0, decimals)}f}"
            return text.removeprefix("-") if float(text) == 0 else text
        return f"{value:.{max(0, _exponent(value) + decimals)}e}" if value else "0"


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))

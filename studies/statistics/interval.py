"""A mean with its confidence interval."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

MAX_DECIMALS = 9


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
    def decimals(self) -> int | None:
        """Decimals that show two digits of the half-width; None where there is no width."""
        if self.low is None or self.high is None or self.high <= self.low:
            return None
        return min(MAX_DECIMALS, max(0, 1 - math.floor(math.log10((self.high - self.low) / 2))))

    def range_text(self) -> str | None:
        """The bounds as `[low, high]`, to two digits of the half-width; None where there is no width."""
        decimals = self.decimals
        return None if decimals is None else f"[{self.low:.{decimals}f}, {self.high:.{decimals}f}]"

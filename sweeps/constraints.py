"""Constraints on metrics as a sampler wants them: how far a value is from keeping its bound."""

from __future__ import annotations

from dataclasses import dataclass

from studies.spec.constraints import parse_bound


@dataclass(frozen=True)
class Constraint:
    """metric <= bound or metric >= bound."""

    metric: str
    sign: str
    bound: float

    @classmethod
    def parse(cls, metric: str, text: str) -> Constraint:
        return cls(metric, *parse_bound(metric, text))

    def violation(self, value: float) -> float:
        """How far `value` is on the wrong side; zero or less is feasible (Optuna's convention)."""
        return value - self.bound if self.sign.startswith("<") else self.bound - value

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.bound:g}"

"""The range of one searched field, as a spec writes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from hnet_core.configuration.shown_value import cut, shown
from hnet_core.trial import Options

N_SAMPLES = 11
MAX_CHOICES = 1000  # each is checked
KINDS = ("float", "int", "choice")

RungUnit = Literal["tasks", "iterations"]


class _Searched(Options):
    when: dict[str, tuple[Any, ...]] | None = Field(
        None, description="searched only where each of these fields has this value, or one of this list"
    )

    @field_validator("when", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        if not isinstance(value, Mapping) or not value:
            raise ValueError(f"must be a mapping such as {{method.name: hypermask}}, got {shown(value)}")
        return {key: tuple(one) if isinstance(one, (list, tuple)) else (one,) for key, one in value.items()}


class _Range(_Searched):
    log: bool = Field(False, description="search on a logarithmic scale")
    bounds: tuple[float, float]

    step: float | None = None

    def contains(self, value: object) -> bool:
        """Return whether a trial can have this value; between two steps there is none, up to rounding."""
        low, high = self.bounds
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            return False
        return self.step is None or math.isclose(self.snapped(value), value, rel_tol=1e-9, abs_tol=1e-9 * self.step)

    def snapped(self, value: float) -> float:
        """The nearest step to a value, written with the decimals of low and step; without steps the value itself."""
        if self.step is None:
            return value
        low, step = Decimal(repr(self.bounds[0])), Decimal(repr(self.step))
        return type(self.bounds[0])(low + round((Decimal(repr(value)) - low) / step) * step)

    def grid_size(self) -> int | None:
        """Number of values in `grid`, None without steps."""
        return None if self.step is None else int(self._steps()) + 1

    def grid(self) -> list[Any] | None:
        """Every value, in rising order; None without steps."""
        size = self.grid_size()
        low = self.bounds[0]
        return None if size is None or self.step is None else [self.snapped(low + i * self.step) for i in range(size)]

    def examples(self) -> list[Any]:
        """Both ends."""
        return list(self.bounds)

    def samples(self) -> list[Any]:
        """Values to check a field with: both ends and some between."""
        low, high = self.bounds
        shares = [i / (N_SAMPLES - 1) for i in range(1, N_SAMPLES - 1)]
        between = [self._between(share) for share in shares]
        return list(dict.fromkeys([low, high, *(self._valid(value) for value in between)]))

    def _between(self, share: float) -> float:
        low, high = self.bounds
        if self.log:
            return math.exp((1 - share) * math.log(low) + share * math.log(high))
        return (1 - share) * low + share * high

    def _valid(self, value: float) -> float:
        return self.snapped(value)

    def words(self) -> str:
        """The range as an error names it."""
        low, high = self.bounds
        return f"[{low}, {high}]" + ("" if self.step is None else f" in steps of {self.step}")

    def _steps(self) -> Decimal:
        low, high = (Decimal(repr(end)) for end in self.bounds)
        return (high - low) / Decimal(repr(self.step))

    @model_validator(mode="after")
    def _is_a_range(self) -> _Range:
        low, high = self.bounds
        if low >= high:
            raise ValueError(f"low must be below high, got [{low}, {high}]; swap them, or give one value under trial")
        if self.log and low <= 0:
            raise ValueError(f"log: true needs low above 0, got {low}")
        if self.log and self.step is not None:
            raise ValueError("log: true and step exclude each other; remove one")
        if self.step is not None and not self.contains(high):
            last = self.snapped(low + int(self._steps()) * self.step)
            meant = f"end the range at {last}" if last > low else "take a smaller step"
            raise ValueError(f"step {self.step} must lead from {low} to {high} and misses it; {meant}")
        return self


class FloatRange(_Range):
    """{float: [low, high], log: true|false, step: s}, both ends included."""

    bounds: tuple[float, float] = Field(alias="float")
    step: float | None = Field(None, gt=0)


class IntRange(_Range):
    """{int: [low, high], log: true|false, step: s}, both ends included."""

    bounds: tuple[int, int] = Field(alias="int")
    step: int | None = Field(None, ge=1)

    def _valid(self, value: float) -> int:
        return int(self.snapped(round(value)))

    def contains(self, value: object) -> bool:
        return isinstance(value, int) and super().contains(value)


class Choice(_Searched):
    """{choice: [a, b, ...]}; a choice may be a number, a word, or a list such as [10, 10]."""

    choice: tuple[Any, ...] = Field(min_length=1, max_length=MAX_CHOICES)

    @model_validator(mode="after")
    def _distinct(self) -> Choice:
        for value in self.choice:
            if not _is_plain(value):
                raise ValueError(f"a choice must be a number, a word or a list of them, got {shown(value)}")
        texts = [encode(value) for value in self.choice]
        if len(set(texts)) < len(texts):
            raise ValueError(f"each choice must be given once, got {list(self.choice)}")
        return self

    def contains(self, value: object) -> bool:
        return any(_are_one(choice, value) for choice in self.choice)

    def examples(self) -> list[Any]:
        return list(self.choice)

    def samples(self) -> list[Any]:
        return list(self.choice)

    def snapped(self, value: Any) -> Any:
        """The choice that a value stands for; a list and a tuple are one choice."""
        return next((choice for choice in self.choice if _are_one(choice, value)), value)

    def grid_size(self) -> int:
        return len(self.choice)

    def grid(self) -> list[Any]:
        return list(self.choice)

    def words(self) -> str:
        return cut(", ".join(map(str, self.choice)))


def _are_one(choice: object, value: object) -> bool:
    """Return whether a value stands for a choice: 8.0 does for 8, and true does not for 1."""
    return isinstance(choice, bool) == isinstance(value, bool) and bool(encode(choice) == encode(value))


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _kind(value: object) -> str | None:
    if isinstance(value, (FloatRange, IntRange, Choice)):
        return {FloatRange: "float", IntRange: "int", Choice: "choice"}[type(value)]
    if isinstance(value, Mapping):
        found = [kind for kind in KINDS if kind in value]
        if len(found) == 1:
            return found[0]
    return None


@dataclass(frozen=True)
class NoRange:
    """A value of a searched field that stands for no range, with the reason; refused where ranges are checked."""

    reason: str


def _refused(value: object) -> object:
    if isinstance(value, NoRange):
        raise ValueError(value.reason)
    return value


Dimension = Annotated[
    Annotated[FloatRange, Tag("float")] | Annotated[IntRange, Tag("int")] | Annotated[Choice, Tag("choice")],
    Discriminator(
        _kind,
        custom_error_type="dimension",
        custom_error_message="must be {float: [low, high]}, {int: [low, high]} or {choice: [...]}, "
        "default for an option that has a range of its own, or one of these for each of some families",
    ),
    BeforeValidator(_refused),
]

Space = Mapping[str, FloatRange | IntRange | Choice]


def encode(value: Any) -> Any:
    """Convert a choice for Optuna: lists become JSON text, other values stay."""
    return json.dumps(value) if isinstance(value, (list, tuple, dict)) else value


def decode(dimension: FloatRange | IntRange | Choice, value: Any) -> Any:
    """Convert a choice stored by Optuna back to its value."""
    if isinstance(dimension, Choice):
        return next(choice for choice in dimension.choice if encode(choice) == value)
    return dimension.snapped(value)

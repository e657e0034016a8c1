"""The range of one searched field, as a spec writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from hnet_core.trial import Options

RungUnit = Literal["tasks", "iterations"]


class _Searched(Options):
    when: dict[str, tuple[Any, ...]] | None = Field(
        None, description="searched only where each of these fields has this value, or one of this list"
    )

    @field_validator("when", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        if not isinstance(value, Mapping) or not value:
            raise ValueError(f"must be a mapping such as {{method.name: hypermask}}, got {value!r}")
        return {key: tuple(one) if isinstance(one, (list, tuple)) else (one,) for key, one in value.items()}


class _Range(_Searched):
    log: bool = Field(False, description="search on a logarithmic scale")
    bounds: tuple[float, float]

    def contains(self, value: object) -> bool:
        low, high = self.bounds
        return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high

    def _check(self, low: float, high: float, step: float | None) -> None:
        if low >= high:
            raise ValueError(f"low must be below high, got [{low}, {high}]; swap them, or give one value under trial")
        if self.log and low <= 0:
            raise ValueError(f"log: true needs low above 0, got {low}")
        if self.log and step is not None:
            raise ValueError("log: true and step exclude each other; remove one")


class FloatRange(_Range):
    """{float: [low, high], log: true|false, step: s}, both ends included."""

    bounds: tuple[float, float] = Field(alias="float")
    step: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> FloatRange:
        self._check(*self.bounds, self.step)
        return self

    def examples(self) -> list[Any]:
        return list(self.bounds)

    def grid(self) -> list[Any] | None:
        if self.step is None:
            return None
        low, high = self.bounds
        return [low + i * self.step for i in range(int((high - low) / self.step + 1e-9) + 1)]


class IntRange(_Range):
    """{int: [low, high], log: true|false, step: s}, both ends included."""

    bounds: tuple[int, int] = Field(alias="int")
    step: int | None = Field(None, ge=1)

    def contains(self, value: object) -> bool:
        return isinstance(value, int) and super().contains(value) and (value - self.bounds[0]) % (self.step or 1) == 0

    @model_validator(mode="after")
    def _ordered(self) -> IntRange:
        self._check(*self.bounds, self.step)
        return self

    def examples(self) -> list[Any]:
        return list(self.bounds)

    def grid(self) -> list[Any] | None:
        if self.step is None:
            return None
        return list(range(self.bounds[0], self.bounds[1] + 1, self.step))


class Choice(_Searched):
    """{choice: [a, b, ...]}; a choice may be a number, a word, or a list such as [10, 10]."""

    choice: tuple[Any, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Choice:
        for value in self.choice:
            if not _is_plain(value):
                raise ValueError(f"a choice must be a number, a word or a list of them, got {value!r}")
        texts = [encode(value) for value in self.choice]
        if len(set(texts)) < len(texts):
            raise ValueError(f"each choice must be given once, got {list(self.choice)}")
        return self

    def contains(self, value: object) -> bool:
        return encode(value) in [encode(choice) for choice in self.choice]

    def examples(self) -> list[Any]:
        return list(self.choice)

    def grid(self) -> list[Any] | None:
        return list(self.choice)


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _kind(value: object) -> str | None:
    if isinstance(value, (FloatRange, IntRange, Choice)):
        return {FloatRange: "float", IntRange: "int", Choice: "choice"}[type(value)]
    if isinstance(value, Mapping):
        found = [kind for kind in ("float", "int", "choice") if kind in value]
        if len(found) == 1:
            return found[0]
    return None


Dimension = Annotated[
    Annotated[FloatRange, Tag("float")] | Annotated[IntRange, Tag("int")] | Annotated[Choice, Tag("choice")],
    Discriminator(
        _kind,
        custom_error_type="dimension",
        custom_error_message="must be {float: [low, high]}, {int: [low, high]} or {choice: [...]}, "
        "or default for an option that has a range of its own",
    ),
]

Space = Mapping[str, FloatRange | IntRange | Choice]


def encode(value: Any) -> Any:
    """Convert a choice for Optuna: lists become JSON text, other values stay."""
    return json.dumps(value) if isinstance(value, (list, tuple, dict)) else value


def decode(dimension: FloatRange | IntRange | Choice, value: Any) -> Any:
    """Convert a choice stored by Optuna back to its value."""
    if isinstance(dimension, Choice):
        return next(choice for choice in dimension.choice if encode(choice) == value)
    return value

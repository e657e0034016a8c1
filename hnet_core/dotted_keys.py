"""Dotted keys of nested settings: `method.beta_output` is `{"method": {"beta_output": ...}}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MISSING: Any = object()

Key = str | Sequence[str]


class NotABlock(ValueError):
    """A key that leads through a value; `block` is the part of the key where that value stands."""

    def __init__(self, block: str) -> None:
        super().__init__(f"{block} is a value, not a block with keys")
        self.block = block


def get(settings: Any, key: Key, default: Any = MISSING) -> Any:
    """Return the value at a key, `default` if there is none."""
    for part in split(key):
        if not isinstance(settings, Mapping) or part not in settings:
            return default
        settings = settings[part]
    return settings


def put(settings: dict[str, Any], key: Key, value: Any) -> None:
    """Set the value at a key in place, with any missing blocks.

    Raises:
        NotABlock: if the key leads through a value.
    """
    *blocks, last = split(key)
    for block in blocks:
        settings = settings.setdefault(block, {})
        if not isinstance(settings, dict):
            raise NotABlock(block)
    settings[last] = value


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is no block, with its dotted key."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def split(key: Key) -> list[str]:
    """Return the parts of a key."""
    return key.split(".") if isinstance(key, str) else list(key)


def short_names(names: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key, or all of it where two end alike."""
    lasts = [name.rsplit(".", 1)[-1] for name in names]
    return {name: last if lasts.count(last) == 1 else name for name, last in zip(names, lasts, strict=True)}

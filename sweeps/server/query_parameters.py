"""Parameters of an address: condition, order, page; every one is checked, an unknown one is refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import Request

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean

MAX_TEXT = 4000
MAX_ROWS = 5000


@dataclass(frozen=True)
class RowQuery:
    """A selection of rows and one page of it."""

    where: str | None
    sort: str | None
    limit: int
    after: int | None


def row_query(request: Request, rows: int, more: Collection[str] = ()) -> RowQuery:
    """Read where, sort, limit and after.

    Args:
        rows: of a page, unless the address has a limit.
        more: other parameters that the address may have.

    Raises:
        ConfigInvalid: if one is unknown, is there twice, or has no valid value.
    """
    check_names(request, [*more, "where", "sort", "limit", "after"])
    limit = number(request, "limit", 1, MAX_ROWS)
    return RowQuery(
        text(request, "where"), text(request, "sort"), rows if limit is None else limit, number(request, "after", 0)
    )


def check_names(request: Request, known: Collection[str]) -> None:
    """Refuse an address with a parameter that means nothing here: it would be left out silently."""
    for name in request.query_params:
        if name not in known:
            raise ConfigInvalid(f"unknown parameter {name[:80]!r}{did_you_mean(name[:80], list(known))}.")


def text(request: Request, name: str) -> str | None:
    """Return a text, None where it is empty or absent."""
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise ConfigInvalid(f"{name} must be there once, got {len(values)} times.")
    if not values or not values[0].strip():
        return None
    if len(values[0]) > MAX_TEXT:
        raise ConfigInvalid(f"{name} must have at most {MAX_TEXT} characters, got {len(values[0])}.")
    return values[0]


def number(request: Request, name: str, least: int, most: int = 2**31 - 1) -> int | None:
    """Return a whole number between two bounds, None where it is absent."""
    found = text(request, name)
    return None if found is None else whole(name, found, least, most)


def whole(name: str, value: str, least: int, most: int = 2**31 - 1) -> int:
    """Read a whole number between two bounds."""
    if not value.isascii() or not value.isdecimal() or not least <= int(value[:12]) <= most or len(value) > 12:
        raise ConfigInvalid(f"{name} must be a whole number from {least} to {most}, got {value[:40]!r}.")
    return int(value)


def decimal(request: Request, name: str) -> float | None:
    """Return a finite number, None where it is absent."""
    found = text(request, name)
    if found is None:
        return None
    try:
        value = float(found)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise ConfigInvalid(f"{name} must be a number, got {found[:40]!r}.")
    return value


def flag(request: Request, name: str) -> bool:
    """Return whether a switch is on: 1 or true."""
    found = text(request, name)
    if found not in (None, "0", "1", "true", "false"):
        raise ConfigInvalid(f"{name} must be 1 or 0, got {found[:40]!r}.")
    return found in ("1", "true")


def study_name(request: Request) -> str:
    """Return the study of the path; see `addresses.encoded`."""
    return unquote(request.path_params["name"], errors="replace").removesuffix("\0")


def trial_number(request: Request) -> int:
    """Return the trial of the path."""
    return whole("a trial", request.path_params["number"], 0)

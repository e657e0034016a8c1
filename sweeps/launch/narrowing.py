"""Narrower ranges and another budget for a sweep, as the `--set` arguments of `hnet sweep run`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from hnet_core.errors import ConfigInvalid
from studies.spec.conditions import field_of
from studies.spec.ranges import Choice, FloatRange, IntRange, encode
from studies.spec.spec import SweepSpec

Range = FloatRange | IntRange | Choice
LARGEST = 2.0**63


def search_assignments(spec: SweepSpec, given: Mapping[str, Any]) -> list[str]:
    """Return the `--set` arguments that narrow the ranges of a spec; enqueued trials outside of them are dropped.

    Args:
        given: by searched field {"low": ..., "high": ...}, each of which may be absent, or the list of choices to keep.
            A field with a range for each family is written FIELD[FAMILY], as in `SweepSpec.search`.

    Raises:
        ConfigInvalid: a field is not searched, or its new range is not within the one it has; one line for each.
    """
    search, problems = dict(spec.search), []
    for name, wanted in given.items():
        if name not in search:
            known = ", ".join(search)
            problems.append(f"search.{name[:80]}: is not searched by this sweep; it searches {known}.")
            continue
        try:
            search[name] = narrowed(search[name], wanted)
        except ConfigInvalid as error:
            problems.append(f"search.{name}: {error}")
    if problems:
        raise ConfigInvalid("\n".join(problems))
    changed = [field for field in search if search[field] != spec.search[field]]
    assignments = [f"search.{base}={_json(_written(search, base))}" for base in dict.fromkeys(map(field_of, changed))]
    return [*assignments, *(_fitting_first(spec, search) if changed else ())]


def narrowed(range: Range, wanted: Any) -> Range:
    """Return a range within another one; one of a single number is a choice of it.

    Raises:
        ConfigInvalid: it is not within the other one, or not of its kind.
    """
    if isinstance(range, Choice):
        return _kept_choices(range, wanted)
    if not isinstance(wanted, Mapping) or not set(wanted) <= {"low", "high"}:
        raise ConfigInvalid(f'must be {{"low": ..., "high": ...}} within {range.words()}.')
    low, high = (
        _number(range, wanted.get(key), bound) for key, bound in zip(("low", "high"), range.bounds, strict=True)
    )
    if not range.bounds[0] <= low <= high <= range.bounds[1]:
        raise ConfigInvalid(f"must be a range within {range.words()}, got [{low}, {high}].")
    if low == high:
        if not range.contains(low):
            raise ConfigInvalid(f"must be a value of {range.words()}, got {low}.")
        condition = {} if range.when is None else {"when": range.when}
        return Choice.model_validate({"choice": [low], **condition})
    kind = "int" if isinstance(range, IntRange) else "float"
    content = {**_content(range), kind: (low, high)}
    try:
        return type(range).model_validate(content)
    except ValidationError as error:
        raise ConfigInvalid(str(error.errors()[0]["msg"]).removeprefix("Value error, ") + ".") from None


def _number(range: FloatRange | IntRange, value: Any, bound: float) -> float:
    if value is None:
        return bound
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
    if isinstance(range, IntRange):
        if is_number and value == int(value):
            return int(value)
        raise ConfigInvalid(f"must be whole numbers within {range.words()}, got {str(value)[:40]!r}.")
    if not is_number:
        raise ConfigInvalid(f"must be numbers within {range.words()}, got {str(value)[:40]!r}.")
    return float(value)


def _kept_choices(range: Choice, wanted: Any) -> Choice:
    if not isinstance(wanted, Sequence) or isinstance(wanted, str) or not wanted:
        raise ConfigInvalid(f"must be a list of one or more of {range.words()}.")
    for value in wanted:
        if isinstance(value, dict) or not range.contains(value):
            raise ConfigInvalid(f"must be choices of {range.words()}, got {str(value)[:40]!r}.")
    kept = {str(encode(range.snapped(value))) for value in wanted}
    return range.model_copy(update={"choice": tuple(each for each in range.choice if str(encode(each)) in kept)})


def _written(search: Mapping[str, Range], base: str) -> dict[str, Any]:
    """Return the range of a field as a spec writes it, by family where it has one for each."""
    if base in search:
        return _content(search[base])
    return {name[len(base) + 1 : -1]: _content(each) for name, each in search.items() if field_of(name) == base}


def _content(range: Range) -> dict[str, Any]:
    content: dict[str, Any] = range.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: value for key, value in content.items() if key != "log" or value}


def _fitting_first(spec: SweepSpec, search: Mapping[str, Range]) -> Iterator[str]:
    """Yield the argument that keeps the enqueued trials within the new ranges, if some are outside."""
    changed = spec.model_copy(update={"search": dict(search)})
    changed.__dict__.pop("space", None)
    kept = [
        params for params in spec.enqueue if changed.space.misfit(params, any_family=spec.sampler != "grid") is None
    ]
    if len(kept) < len(spec.enqueue):
        yield f"enqueue={_json(kept)}"


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)

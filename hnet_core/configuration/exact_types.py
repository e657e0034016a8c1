"""The check that a number is written as a number and a truth value as true or false, not as text or as one another.

Pydantic takes "8" and true for whole numbers and "yes" and 1 for true. Its strict mode does not, but takes no list for
a tuple and no mapping for a block either.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hnet_core.configuration.shown_value import shown

LARGEST = 2**63 - 1  # of the whole numbers of torch and of databases

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}


def check_type(annotation: Any, value: object) -> None:
    """Refuse a scalar of another type, also inside a list or a mapping; all else is left to pydantic.

    Raises:
        ValueError: saying what it must be and what came.
    """
    if get_origin(annotation) is Annotated:
        check_type(get_args(annotation)[0], value)
    elif annotation in (int, float, bool) and not _is_of(annotation, value):
        raise ValueError(f"must be {_WORDS[annotation]}, got {shown(value)}")
    elif annotation is int and isinstance(value, (int, float)) and abs(value) > LARGEST:
        raise ValueError(f"must lie within 64 bits, got {shown(value)}")
    elif annotation is float and isinstance(value, int) and abs(value) > sys.float_info.max:
        raise ValueError(f"must be a finite number, got {shown(value)}")
    elif get_origin(annotation) in (Union, types.UnionType):
        _check_union(_members(annotation), value)
    elif get_origin(annotation) in (tuple, list) and isinstance(value, (tuple, list)):
        of_items = [one for one in get_args(annotation) if one is not ...]
        of_items *= len(value) if len(of_items) == 1 else 1
        for item, each in zip(of_items, value, strict=False):
            check_type(item, each)
    elif get_origin(annotation) is dict and isinstance(value, Mapping):
        for each in value.values():
            check_type(get_args(annotation)[1], each)


def _members(annotation: Any) -> list[Any]:
    """Return the types of a union, with those of unions inside it, without annotations."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [member for one in get_args(annotation) for member in _members(one)]
    return [annotation]


def _check_union(members: Sequence[Any], value: object) -> None:
    if isinstance(value, (tuple, list, Mapping)):
        for member in members:
            if member not in _WORDS:
                check_type(member, value)
        return
    limited = (int, float) if int in members and float not in members else int
    if isinstance(value, limited) and abs(value) > LARGEST:
        raise ValueError(f"must lie within 64 bits, got {shown(value)}")
    scalars = [one for one in members if one in _WORDS or get_origin(one) is Literal]
    if len(scalars) < len(members):
        return
    if not any(value in get_args(one) if get_origin(one) is Literal else _is_of(one, value) for one in scalars):
        words = [", ".join(map(str, get_args(one))) if get_origin(one) is Literal else _WORDS[one] for one in scalars]
        raise ValueError(f"must be {' or '.join(words)}, got {shown(value)}")


def _is_of(scalar: type, value: object) -> bool:
    """Return whether a value is a scalar of this type; a number without a fraction, such as 1e3, is a whole one."""
    if scalar not in (int, float):
        return isinstance(value, scalar)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return scalar is float or isinstance(value, int) or value.is_integer()

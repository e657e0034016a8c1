"""The options of a component in words that a program can read: type, default, bounds, choices, description."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WORDS = {int: "int", float: "float", bool: "bool", str: "text", type(None): "null"}
_BOUNDS = {Ge: ("at_least", "ge"), Gt: ("above", "gt"), Le: ("at_most", "le"), Lt: ("below", "lt")}


def describe_options(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Each option but the name: {type, required, default, description} and, where they are known, bounds and choices.

    Bounds are at_least, above, at_most and below; `search` is the range that its author has for a search.
    """
    return {name: _described(field) for name, field in model.model_fields.items() if name != "name"}


def _described(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    known = {
        "type": _type_in_words(field.annotation),
        "required": field.is_required(),
        "default": None if field.is_required() else field.default,
        **_bounds(field.metadata),
        "choices": _choices(field.annotation),
        "search": extra.get("search") if isinstance(extra, dict) else None,
        "description": field.description,
    }
    always = ("type", "required", "default", "description")
    return {key: value for key, value in known.items() if key in always or value is not None}


def _bounds(metadata: list[Any]) -> dict[str, float]:
    return {
        word: getattr(one, key) for one in metadata for kind, (word, key) in _BOUNDS.items() if isinstance(one, kind)
    }


def _type_in_words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_in_words(arguments[0])
    if origin is Literal:
        return "choice"
    if origin in (Union, types.UnionType):
        return " or ".join(map(_type_in_words, arguments))
    if origin in (tuple, list):
        return f"list of {_type_in_words(arguments[0])}"
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _choices(annotation: Any) -> list[Any] | None:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    members = [one for one in get_args(annotation) if get_origin(one) is Literal]
    return [choice for member in members for choice in get_args(member)] or None

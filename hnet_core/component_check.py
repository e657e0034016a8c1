"""The check of one component block (stream, target, hypernetwork or method), and complaints with key paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hnet_core.configuration.shown_value import shown
from hnet_core.options import ComponentOptions
from hnet_core.registry import Registry, did_you_mean

MAX_COMPLAINTS = 20

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Complaint:
    """One error in a configuration.

    Attributes:
        path: keys and list positions, from the top of the checked block.
        message: the rule, the value found and a remedy, without a full stop.
    """

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.message}" if self.path else self.message

    def below(self, *keys: str | int) -> Complaint:
        """Return the complaint with the keys of the enclosing blocks before its path."""
        return Complaint((*keys, *self.path), self.message)


def dotted(path: Path) -> str:
    """Join the parts of a path with dots."""
    return ".".join(map(str, path))


def check_component(registry: Registry, raw: object) -> tuple[ComponentOptions | None, list[Complaint]]:
    """Check a raw block against the options class that its `name` selects.

    Returns:
        The options and no complaints, or None and every complaint, with paths from the top of the block. Options
        checked before are returned unchanged.
    """
    if isinstance(raw, ComponentOptions):
        return raw, []
    known = ", ".join(registry)
    if not isinstance(raw, Mapping):
        return None, [Complaint((), f"must be a block with a name, got {shown(raw)}; known names: {known}")]
    if "name" not in raw:
        misspelt = get_close_matches("name", list(map(str, raw)), n=1)
        if misspelt:
            return None, [Complaint((misspelt[0],), f"unknown key {misspelt[0]!r}; did you mean 'name'?")]
        return None, [Complaint((), f"must have a name; known: {known}")]
    name = raw["name"]
    if not isinstance(name, str) or name not in registry:
        guess = did_you_mean(str(name)[:100], registry)
        return None, [Complaint(("name",), f"unknown {registry.kind} {shown(name)}{guess}")]
    component = registry[name]
    try:
        options: ComponentOptions = component.Options.model_validate({**raw, "name": component.name})
    except ValidationError as error:
        return None, list(explain(error, component.Options))
    return options, []


class PartInvalid(ValueError):
    """Complaints about a component within the options of another one."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__("; ".join(map(str, complaints)))
        self.complaints = complaints


def component_within(registry: Registry, value: object) -> ComponentOptions:
    """Return the options of a component within another one's, for a validator of that field.

    Raises:
        PartInvalid: with every complaint, which `explain` puts below the key of the field.
    """
    options, complaints = check_component(registry, value)
    if options is None:
        raise PartInvalid(complaints)
    return options


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Complaint]:
    """Yield pydantic's errors in the wording of this project: the rule, the value found, a remedy.

    A key that must be given and was plainly misspelt is one complaint, not two.
    """
    found = error.errors()
    unknown = [one for one in found if one["type"] == "extra_forbidden"]
    meant = {
        (*one["loc"][:-1], guess)
        for one in unknown[:MAX_COMPLAINTS]
        for guess in get_close_matches(str(one["loc"][-1]), _keys(model, one["loc"]), n=1)
    }
    for one in found[:MAX_COMPLAINTS]:
        inner = one.get("ctx", {}).get("error")
        if isinstance(inner, PartInvalid):
            yield from (each.below(*one["loc"]) for each in inner.complaints)
        elif isinstance(inner, ValidationError):  # a component that was checked within
            yield from (Complaint((*one["loc"], *each.path), each.message) for each in explain(inner, model))
        elif one["type"] != "missing" or one["loc"] not in meant:
            yield Complaint(one["loc"], _message(one, model))


def _message(one: ErrorDetails, model: type[BaseModel]) -> str:
    if one["type"] == "extra_forbidden":
        key = str(one["loc"][-1])
        return f"unknown key {shown(key)}{did_you_mean(key, _keys(model, one['loc']))}"
    if one["type"] == "missing":
        return "must be given"
    if one["type"] == "value_error":
        return str(one["ctx"]["error"]).rstrip(".")
    if one["type"] == "string_pattern_mismatch" and one["ctx"]["pattern"] in _PATTERNS:
        return f"must {_PATTERNS[one['ctx']['pattern']]}, got {shown(one['input'])}"
    text = one["msg"].replace("Input should", "must")
    for theirs, ours in _OURS.items():
        text = re.sub(theirs, ours, text)
    return f"{text.strip()}, got {shown(one['input'])}"


_PATTERNS = {r"\S": "be a name", r"^(auto|cpu|cuda(:\d+)?)$": "be auto, cpu, cuda or cuda:NUMBER"}
_OURS = {
    r"a valid (tuple|list)\b": "a list",
    r"a valid dictionary( or instance of \w+)?": "a block with keys",
    r"a valid string": "text",
    r"Dictionary should": "must",
    r"^(Tuple|List|String|Value) should": "must",
    r" after validation, not \w+": "",
}


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """Return the keys of the block that holds the last key of `path`."""
    return [field.alias or name for name, field in _model_at(model, path[:-1]).model_fields.items()]


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """Return the model of the block at `path`."""
    found: Any = model
    for key in path:
        found = _inside(found, key)
    return found if _is_model(found) else model


def _inside(annotation: Any, key: str | int) -> Any:
    """Return the type below a key of a value of this type; of a tagged union, the member with that tag."""
    if _is_model(annotation):
        fields = annotation.model_fields.items()
        found = [field.annotation for name, field in fields if str(key) in (name, field.alias)]
        return _plain(found[0]) if found else None
    if get_origin(annotation) in (dict, tuple, list):
        return _plain(get_args(annotation)[-1 if get_origin(annotation) is dict else 0])
    for member in get_args(annotation):
        if get_origin(member) is Annotated and any(getattr(one, "tag", None) == key for one in get_args(member)[1:]):
            return _plain(member)
    return None


def _plain(annotation: Any) -> Any:
    """Return a type without its annotations and without None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    members = [one for one in get_args(annotation) if one is not type(None)]
    is_optional = len(members) == 1 and len(get_args(annotation)) == 2
    return members[0] if is_optional and get_origin(annotation) not in (dict, tuple, list) else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

"""Checks a raw trial block and says, per key, what is wrong and what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import HYPERNETS, METHODS, STREAMS, TARGETS, Registry, did_you_mean
from hnet_core.shown_value import shown
from hnet_core.trial import ComponentOptions, TrialConfig

COMPONENTS: dict[str, Registry] = {"stream": STREAMS, "method": METHODS, "target": TARGETS, "hypernet": HYPERNETS}

MAX_COMPLAINTS = 20

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong: where (keys and list positions from the top) and what."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.message}" if self.path else self.message


def dotted(path: Path) -> str:
    return ".".join(map(str, path))


def parse_trial(raw: Mapping[str, Any]) -> TrialConfig:
    """A checked configuration.

    Raises:
        ConfigInvalid: naming the first thing that is wrong.
    """
    config, complaints = check_trial(raw)
    if config is None:
        raise ConfigInvalid(str(complaints[0]))
    return config


def check_trial(raw: Mapping[str, Any]) -> tuple[TrialConfig | None, list[Complaint]]:
    """The configuration, or everything that is wrong with it, each with the path to the key."""
    complaints: list[Complaint] = []
    checked = dict(raw)
    known = list(TrialConfig.model_fields)
    unknown = [str(key) for key in raw if key not in known]
    meant = [guess for key in unknown[:MAX_COMPLAINTS] for guess in get_close_matches(key, known, n=1)]
    for key, registry in COMPONENTS.items():
        if key in meant:
            checked.pop(key, None)  # what a search put there, beside the block that was misspelt
        elif raw.get(key) is not None:
            options, found = _check_component(key, registry, raw[key])
            complaints += found
            if options is None:
                checked.pop(key)  # reported once; the rest of the block is still worth checking
            else:
                checked[key] = options
    try:
        config = TrialConfig.model_validate(checked)
    except ValidationError as error:
        reported = {one.path[0] for one in complaints}
        rest = [one for one in explain(error, TrialConfig) if not one.path or one.path[0] not in reported]
        # a missing hypernet block is only noticed once all blocks are there
        return None, complaints + rest
    return (None, complaints) if complaints else (config, [])


def _check_component(key: str, registry: Registry, raw: object) -> tuple[ComponentOptions | None, list[Complaint]]:
    if isinstance(raw, ComponentOptions):
        return raw, []
    known = ", ".join(registry)
    if not isinstance(raw, Mapping):
        return None, [Complaint((key,), f"must be a block with a name, got {shown(raw)}; known names: {known}")]
    if "name" not in raw:
        misspelt = get_close_matches("name", list(map(str, raw)), n=1)
        if misspelt:
            return None, [Complaint((key, misspelt[0]), f"unknown key {misspelt[0]!r}; did you mean 'name'?")]
        return None, [Complaint((key,), f"must have a name; known: {known}")]
    if not isinstance(raw["name"], str) or raw["name"] not in registry:
        guess = did_you_mean(str(raw["name"])[:100], registry)
        return None, [Complaint((key, "name"), f"unknown {key} {shown(raw['name'])}{guess}")]
    component = registry[raw["name"]]
    model = component.Options
    try:
        return model.model_validate({**raw, "name": component.name}), []
    except ValidationError as error:
        return None, [Complaint((key, *one.path), one.message) for one in explain(error, model)]


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Complaint]:
    """Pydantic's complaints in our words: what it must be, what came, what to do.

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
        if isinstance(inner, ValidationError):  # a component that was checked within
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
    text = one["msg"].replace("Input should", "must")
    for theirs, ours in _OURS.items():
        text = re.sub(theirs, ours, text)
    return f"{text.strip()}, got {shown(one['input'])}"


_OURS = {
    r"a valid (tuple|list)\b": "a list",
    r"a valid dictionary( or instance of \w+)?": "a block with keys",
    r"a valid string": "text",
    r"Dictionary should": "must",
    r"^(Tuple|List|String|Value) should": "must",
    r" after validation, not \w+": "",
}


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys of the block that the last key of `path` stands in."""
    return [field.alias or name for name, field in _model_at(model, path[:-1]).model_fields.items()]


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """The model that describes the block at `path`."""
    found: Any = model
    for key in path:
        found = _inside(found, key)
    return found if _is_model(found) else model


def _inside(annotation: Any, key: str | int) -> Any:
    """The type of what stands under a key of a value of this type; of a tagged union, the member with that tag."""
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
    """A type without what is noted beside it and without None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    members = [one for one in get_args(annotation) if one is not type(None)]
    is_optional = len(members) == 1 and len(get_args(annotation)) == 2
    return members[0] if is_optional and get_origin(annotation) not in (dict, tuple, list) else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

"""Checks a raw trial block and says, per key, what is wrong and what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import HYPERNETS, METHODS, STREAMS, TARGETS, Registry, did_you_mean
from hnet_core.trial import ComponentOptions, TrialConfig

COMPONENTS: dict[str, Registry] = {"stream": STREAMS, "method": METHODS, "target": TARGETS, "hypernet": HYPERNETS}

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
    for key, registry in COMPONENTS.items():
        if raw.get(key) is not None:
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
        return None, [Complaint((key,), f"must be a block with a name, got {raw!r}; known names: {known}")]
    if "name" not in raw:
        return None, [Complaint((key,), f"must have a name; known: {known}")]
    if not isinstance(raw["name"], str) or raw["name"] not in registry:
        guess = did_you_mean(str(raw["name"]), registry)
        return None, [Complaint((key, "name"), f"unknown {key} {raw['name']!r}{guess}")]
    component = registry[raw["name"]]
    model = component.Options
    try:
        return model.model_validate({**raw, "name": component.name}), []
    except ValidationError as error:
        return None, [Complaint((key, *one.path), one.message) for one in explain(error, model)]


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Complaint]:
    """Pydantic's complaints in our words: what it must be, what came, what to do."""
    for one in error.errors():
        path: Path = one["loc"]
        if one["type"] == "extra_forbidden":
            fields = [field.alias or name for name, field in _model_at(model, path[:-1]).model_fields.items()]
            message = f"unknown key {path[-1]!r}{did_you_mean(str(path[-1]), fields)}"
        elif one["type"] == "missing":
            message = "must be given"
        elif one["type"] == "value_error":
            message = str(one["ctx"]["error"]).rstrip(".") if "ctx" in one else one["msg"]
        else:
            message = f"{one['msg'].replace('Input should', 'must')}, got {one['input']!r}"
        yield Complaint(path, message)


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """The model that describes the block at `path`."""
    for key in path:
        field = model.model_fields.get(str(key))
        annotation = None if field is None else field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return model

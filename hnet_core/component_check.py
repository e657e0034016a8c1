"""The check of one component block (stream, target, hypernetwork or method), and complaints with key paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from hnet_core.registry import Registry, did_you_mean

if TYPE_CHECKING:
    from hnet_core.trial import ComponentOptions

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
    if isinstance(raw, BaseModel):
        return raw, []  # type: ignore[return-value]
    known = ", ".join(registry)
    if not isinstance(raw, Mapping):
        return None, [Complaint((), f"must be a block with a name, got {raw!r}; known names: {known}")]
    if "name" not in raw:
        return None, [Complaint((), f"must have a name; known: {known}")]
    name = raw["name"]
    if not isinstance(name, str) or name not in registry:
        return None, [Complaint(("name",), f"unknown {registry.kind} {name!r}{did_you_mean(str(name), registry)}")]
    component = registry[name]
    try:
        options: ComponentOptions = component.Options.model_validate({**raw, "name": component.name})
    except ValidationError as error:
        return None, list(explain(error, component.Options))
    return options, []


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Complaint]:
    """Yield pydantic's errors in the wording of this project: the rule, the value found, a remedy."""
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
    """Return the model of the block at `path`."""
    for key in path:
        field = model.model_fields.get(str(key))
        annotation = None if field is None else field.annotation
        for choice in (annotation, *get_args(annotation)):  # a block, or `Block | None`
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                model = choice
    return model

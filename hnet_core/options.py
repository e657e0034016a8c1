"""Base classes of everything a user may set: checked, frozen values."""

from __future__ import annotations

import functools
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from hnet_core.configuration.exact_types import check_type

# `json_schema_extra` of an option that was added after results had been stored.
ADDED_LATER: dict[str, Any] = {"added_later": True}

# `json_schema_extra` of an option that does not change the result, such as the path of a file whose content has a
# checksum beside it.
NOT_HASHED: dict[str, Any] = {"not_hashed": True}
HASHED = {"only": "hashed"}  # context of a dump without such options


class Options(BaseModel):
    """Checked, frozen values a user may set; unknown keys, NaN, infinity and numbers written as text are refused.

    An option marked with ADDED_LATER is not written where it has its default, so that a configuration from before it
    keeps its content and its hash.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_type(cls, value: object, info: ValidationInfo) -> object:
        if info.field_name is not None:
            check_type(cls.model_fields[info.field_name].annotation, value)
        return value

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        content: dict[str, Any] = write(self)
        model = type(self)
        unset = [key for key in _marked(model, "added_later") if getattr(self, key) == model.model_fields[key].default]
        left_out = {*unset, *(_marked(model, "not_hashed") if info.context == HASHED else ())}
        return {key: value for key, value in content.items() if key not in left_out}


@functools.cache
def _marked(model: type[BaseModel], mark: str) -> tuple[str, ...]:
    """Return the names of the options with a mark in their `json_schema_extra`."""
    extras = ((name, field.json_schema_extra) for name, field in model.model_fields.items())
    return tuple(name for name, extra in extras if isinstance(extra, dict) and extra.get(mark))


class ComponentOptions(Options):
    """Options of one stream, target, hypernetwork or method, chosen by `name`."""

    name: str

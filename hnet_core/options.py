"""Base classes of everything a user may set: checked, frozen values."""

from __future__ import annotations

import functools
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from hnet_core.exact_types import check_type

# `json_schema_extra` of an option that was added after results had been stored.
ADDED_LATER: dict[str, Any] = {"added_later": True}


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
    def _without_later_defaults(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = write(self)
        for name, default in _later_defaults(type(self)):
            if getattr(self, name) == default:
                content.pop(name, None)
        return content


@functools.cache
def _later_defaults(model: type[BaseModel]) -> tuple[tuple[str, Any], ...]:
    """Return names and defaults of the options that were added later."""
    extras = ((name, field, field.json_schema_extra) for name, field in model.model_fields.items())
    return tuple(
        (name, field.default) for name, field, extra in extras if isinstance(extra, dict) and extra.get("added_later")
    )


class ComponentOptions(Options):
    """Options of one stream, target, hypernetwork or method, chosen by `name`."""

    name: str

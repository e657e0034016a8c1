"""Base classes of everything a user may set: checked, frozen values."""

from __future__ import annotations

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

from hnet_core.exact_types import check_type

# Marks an option added after results had been stored, `option: Annotated[bool, ADDED_LATER] = Field(False, ...)`: it is
# not written where it has its default, so that earlier configurations keep their hash.
ADDED_LATER = "added later"

# Marks an option that does not change the result, such as the path of a file whose content has a checksum beside it.
NOT_HASHED = "not hashed"
HASHED = {"only": "hashed"}  # context of a dump without such options


class Options(BaseModel):
    """Checked, frozen values a user may set; unknown keys, NaN, infinity and numbers written as text are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_type(cls, value: object, info: ValidationInfo) -> object:
        if info.field_name is not None:
            check_type(cls.model_fields[info.field_name].annotation, value)
        return value


class ComponentOptions(Options):
    """Options of one stream, target, hypernetwork or method, chosen by `name`."""

    name: str

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        content: dict[str, Any] = write(self)
        for key, field in type(self).model_fields.items():
            is_unset = ADDED_LATER in field.metadata and getattr(self, key) == field.default
            if is_unset or (NOT_HASHED in field.metadata and info.context == HASHED):
                del content[key]
        return content

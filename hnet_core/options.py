"""Base classes of everything a user may set: checked, frozen values."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from hnet_core.exact_types import check_type


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

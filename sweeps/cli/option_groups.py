"""Groups of options: a command takes a dataclass, and each of its fields is an option of the command line."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from inspect import Parameter
from typing import Any, get_type_hints


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let typer offer the fields of each dataclass that a command takes, in its place, as options.

    To be written below `@app.command()`. The fields are annotated as options are, and may be arguments too.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: group for name, group in hints.items() if dataclasses.is_dataclass(group)}

    @functools.wraps(command)
    def with_each_field(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in dataclasses.fields(group)})
        command(**values)

    parameters = list(_parameters(command, hints, groups))
    with_each_field.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_each_field.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_each_field


def _parameters(command: Callable[..., None], hints: dict[str, Any], groups: dict[str, Any]) -> Iterator[Parameter]:
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in groups:
            yield parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
            continue
        types = get_type_hints(groups[name], include_extras=True)
        for field in dataclasses.fields(groups[name]):
            default = Parameter.empty if field.default is dataclasses.MISSING else field.default
            yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=types[field.name])

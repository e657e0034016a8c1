"""Commands and groups whose help and usage errors are worded as the rest of `hnet`.

Differs from Typer's own: a flag has no type beside it, and a wrong argument is one line on standard error,
`error: ...`, not a box with the words of the library that parsed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandFunctionType

from hnet_core.errors import HnetError

UsageError: Any = typer.BadParameter.__base__


class UsageInvalid(HnetError):
    """Arguments that a command does not take."""

    exit_code = 2


class Command(TyperCommand):
    """A command with one line for each usage error."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except UsageError as error:
            raise UsageInvalid(_one_line(error, info_name, parent)) from None


class Group(TyperGroup):
    """A group of commands; without arguments it shows its help."""

    command_class = Command

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if not args:
            return super().make_context(info_name, args, parent, **extra)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except UsageError as error:
            raise UsageInvalid(_one_line(error, info_name, parent)) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except UsageError as error:
            raise UsageInvalid(_one_line(error, ctx.info_name, ctx.parent)) from None


class App(typer.Typer):
    """A Typer application of these groups and commands."""

    def __init__(self, *, cls: type[TyperGroup] = Group, **settings: Any) -> None:
        super().__init__(cls=cls, no_args_is_help=True, **settings)

    def command(  # type: ignore[override]  # the other settings are not listed again
        self, name: str | None = None, *, cls: type[TyperCommand] = Command, **settings: Any
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        return super().command(name, cls=cls, **settings)


def _without_types_of_flags(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters


def _one_line(error: Any, command: str | None, parent: Any) -> str:
    """Return what must be, what came, and where the help is."""
    what = (_wrong_value(error) or error.format_message()).rstrip(".")
    names = ["--help"]
    while parent is not None:  # the root is hnet, whatever started it
        names.insert(0, str(command))
        command, parent = parent.info_name, parent.parent
    return f"{what}{' See' if what.endswith('?') else '; see'}: hnet {' '.join(names)}"


def _wrong_value(error: Any) -> str | None:
    """Word the error of a value that does not fit, None for any other error."""
    failed = getattr(error.__cause__, "errors", None)
    if not isinstance(error, typer.BadParameter) or failed is None or error.param is None:
        return None
    first: Mapping[str, Any] = failed()[0]
    name = "/".join(error.param.opts) if error.param.param_type_name == "option" else error.param.name
    return f"{name} must {_rule(first)}, got {first['input']!r}"


def _rule(failed: Mapping[str, Any]) -> str:
    limits: Mapping[str, Any] = failed.get("ctx") or {}
    match failed["type"]:
        case "greater_than_equal":
            return f"be at least {limits['ge']}"
        case "less_than_equal":
            return f"be at most {limits['le']}"
        case "int_parsing" | "int_from_float" | "int_parsing_size":
            return "be a whole number"
        case "float_parsing":
            return "be a number"
        case _:
            text = str(failed["msg"]).removeprefix("Value error, ")
            _, is_choice, choices = text.partition(" is not one of ")
            return f"be one of {choices.replace(chr(39), '').rstrip('.')}" if is_choice else f"be valid: {text}"

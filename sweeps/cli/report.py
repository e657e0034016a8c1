"""`hnet report ...`: a command for each registered report."""

from __future__ import annotations

import inspect
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_group

from reports.registry import REPORTS, HtmlReport, Option
from studies import DEFAULT_URL
from sweeps.cli.options import Database
from sweeps.cli.usage import App, Group

OutOption = Annotated[Path, typer.Option("--output", "-o", help="Folder to write to; made if it does not exist.")]


class ReportGroup(Group):
    """A group with a command for each report; reports are imported when the commands are first needed."""

    @property
    def commands(self) -> MutableMapping[str, Any]:
        if not self._commands:
            self._commands.update(_commands())
        return self._commands

    @commands.setter
    def commands(self, commands: MutableMapping[str, Any]) -> None:
        self._commands = commands


app = App(name="report", cls=ReportGroup, help="Write reports about studies as offline HTML pages.")


@app.callback()
def report() -> None:
    """Write reports about studies as offline HTML pages."""


def _commands() -> MutableMapping[str, Any]:
    group = App()
    group.callback()(report)
    for one in REPORTS.values():
        group.command(one.name, help=_escaped(one.help))(_command(one))
    return get_group(group).commands


def _command(one: HtmlReport) -> Callable[..., None]:
    """Build the function behind a command, with the signature that Typer reads options from."""

    def write(output: Path, db: str = DEFAULT_URL, **given: Any) -> None:
        subject = given.pop(one.argument.name)
        options = {name: value for name, value in given.items() if value is not None}
        if one.reads_database:
            import studies
            from reports.data.measured_studies import import_missing

            for name in import_missing(db, subject if isinstance(subject, list) else [subject]):
                typer.echo(f"copied {name} into the database.", err=True)
            typer.echo(one.write(studies.open(db), subject, output, **options))
        else:
            typer.echo(one.write(subject, output, **options))

    parameters = [
        _parameter(one.argument.name, Annotated[one.argument.type, typer.Argument(help=_sentence(one.argument.help))]),
        _parameter("output", OutOption, inspect.Parameter.empty if one.output is None else one.output),
        *(_parameter(option.name, _annotation(option), option.default) for option in one.options),
        *([_parameter("db", Database, DEFAULT_URL)] if one.reads_database else []),
    ]
    write.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    write.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return write


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _annotation(option: Option) -> Any:
    flags = [option.flag or f"--{option.name.replace('_', '-')}"] if option.flag or option.type is bool else []
    info = typer.Option(*flags, envvar=option.variable, min=option.minimum, help=_sentence(option.help))
    return Annotated[option.type if option.default is not None else option.type | None, info]


def _sentence(text: str) -> str:
    """Make a sentence of a text, as the help of other commands has them."""
    return _escaped(f"{text[0].upper()}{text[1:]}{'' if text.endswith(('.', ']')) else '.'}")


def _escaped(text: str) -> str:
    """Keep square brackets from being read as rich's markup."""
    return text.replace("[", "\\[")

"""The help pages of all commands, and how a command is added."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sweeps.cli import app, command_line

Page = tuple[tuple[str, ...], list[str]]


def pages(command: typer.core.TyperCommand, path: tuple[str, ...] = ()) -> Iterator[Page]:
    """Each command by its path, with the texts that its help page must show."""
    texts = [getattr(parameter, "help", None) for parameter in command.params]
    yield path, [text for text in (command.help, *texts) if text]
    for name, child in getattr(command, "commands", {}).items():
        yield from pages(child, (*path, name))


PAGES = dict(pages(typer.main.get_command(app)))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", PAGES, ids=" ".join)
def test_a_help_page_shows_every_text_with_its_square_brackets(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    done = CliRunner().invoke(app, [*path, "--help"])
    shown = " ".join(re.sub(r"[│*]", " ", done.stdout).split())
    for text in PAGES[path]:
        for line in text.split("\n\n"):
            assert " ".join(line.replace("\\[", "[").split()) in shown


@pytest.mark.parametrize(
    ("path", "default"),
    [
        (("sweep", "run"), "[default: (as many as there is room for)]"),
        (("doctor",), "[default: (~/.cache/hnet/data)]"),
        (("report", "tradeoff"), "needs hnet-sweeps[paper]"),
    ],
)
def test_a_help_page_names_defaults_that_are_found_at_run_time(
    path: tuple[str, ...], default: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert default in CliRunner().invoke(app, [*path, "--help"]).stdout


@pytest.mark.parametrize("path", PAGES, ids=" ".join)
def test_a_help_page_shows_no_type_beside_a_flag(path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert "bool" not in CliRunner().invoke(app, [*path, "--help"]).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("sweep run", "Missing argument 'spec'; see: hnet sweep run --help"),
        ("sweep check x --workers 0", "--workers must be at least 1, got '0'; see: hnet sweep check --help"),
        ("sweep check x --workers 1.5", "--workers must be a whole number, got '1.5'"),
        ("trial run x --seeds 99999999999", "--seeds must be at most 1000, got '99999999999'"),
        ("sweep check x --gpus 2", "--gpus must be at most 1"),
        ("sweep check x --gpus half", "--gpus must be a number, got 'half'"),
        ("sweep check x --format csv", "--format must be one of table, json, got 'csv'"),
        ("sweep check x --set", "Option '--set' requires an argument; see: hnet sweep check --help"),
        ("study retry x one", "numbers must be a whole number, got 'one'; see: hnet study retry --help"),
        ("study sh", "No such command 'sh'. Did you mean 'show'? See: hnet study --help"),
        ("study ls --fromat json", "No such option: --fromat (Possible options: --format)"),
        ("report compare a", "Missing option '--output' / '-o'"),
        ("no", "No such command 'no'; see: hnet --help"),
    ],
)
def test_a_wrong_argument_is_one_line_with_exit_code_2(
    arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hnet", *arguments.split()])
    with pytest.raises(SystemExit) as end:
        command_line.main()
    assert end.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {message}")
    assert shown.err.count("\n") == 1


def test_output_that_finds_no_room_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hnet", "list", "methods", "-o", "/dev/null"])
    monkeypatch.setattr("studies.output.formats.say", _refuse_to_write)
    with pytest.raises(SystemExit) as end:
        command_line.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "error: standard output, or a file must take what is written to it, got: No space left on device; "
        "free space or name another place.\n"
    )


def _refuse_to_write(message: str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["list", "presets", "--format", "csv"], 0), (["no"], 2)],
    ids=["rich", "plain", "error"],
)
def test_a_reader_that_closes_the_pipe_changes_no_exit_code(arguments: list[str], code: int, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with (tmp_path / "errors").open("wb") as errors:
        stderr = writing if code else errors
        done = subprocess.run([sys.executable, "-m", "sweeps", *arguments], stdout=writing, stderr=stderr, check=False)
    os.close(writing)
    assert (done.returncode, (tmp_path / "errors").read_text()) == (code, "")


COMMAND = """
from sweeps.cli.study import app


@app.command()
def greet(name: str) -> None:
    print("Hello", name)
"""


def test_a_command_needs_one_function_in_one_file(tmp_path: Path) -> None:
    folder = shutil.copytree(Path(command_line.__file__).parent, tmp_path / "cli")
    (folder / "greet.py").write_text(COMMAND)
    code = f"import sweeps; sweeps.__path__.insert(0, {str(tmp_path)!r}); from sweeps.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "study", "greet", "you"], capture_output=True, text=True)
    assert done.stdout == "Hello you\n", done.stderr

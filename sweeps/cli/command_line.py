"""The command `hnet`: one root over sweeps, single trials, studies and reports.

Exit codes: 0 ok, 1 unexpected, 2 usage or spec invalid, 3 not found, 4 finished with failed trials, 5 database
unreachable or too old, 6 another driver holds the study, 130 and 143 on signals.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import Annotated

import typer

from hnet_core.errors import HnetError
from sweeps.cli.db import app as db_app
from sweeps.cli.doctor import doctor
from sweeps.cli.listing import list_components
from sweeps.cli.optuna_transfer import export_optuna, import_optuna
from sweeps.cli.preset import app as preset_app
from sweeps.cli.report import app as report_app
from sweeps.cli.study import app as study_app
from sweeps.cli.study_admin import remove
from sweeps.cli.sweep import app as sweep_app
from sweeps.cli.trial import app as trial_app
from sweeps.driver.stop_signals import Terminated

app = typer.Typer(
    name="hnet",
    help="Sweeps and benchmarks for hypernetwork-based continual learning.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(sweep_app, name="sweep")
app.add_typer(trial_app, name="trial")
app.add_typer(study_app, name="study")
app.add_typer(report_app, name="report")
app.add_typer(db_app, name="db")
app.add_typer(preset_app, name="preset")
study_app.command("rm")(remove)
study_app.command("export-optuna")(export_optuna)
study_app.command("import-optuna")(import_optuna)
app.command("list")(list_components)
app.command("doctor")(doctor)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"hnet {installed('hnet')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; an error made on purpose becomes its message and its exit code, nothing else."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character gets its number instead
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except HnetError as error:
        fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted.", 130)
    except Terminated:
        fail("terminated; the same command goes on from the last finished task of each trial.", 143)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe left; not an error
    except Exception as error:
        if os.environ.get("HNET_TRACEBACK"):
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        fail(f"unexpected {what} (a bug; HNET_TRACEBACK=1 shows where)", 1)


def fail(message: str, code: int) -> None:
    for line in message.splitlines():
        print(f"error: {line}", file=sys.stderr)
    sys.exit(code)

"""The command `hnet`: one root over sweeps, single trials, studies and reports.

A command is one function with a decorator, `@app.command()` of `root` or of its group, in any file of this folder.

Exit codes: 0 ok, 1 unexpected, 2 usage or spec invalid, 3 not found, 4 finished with failed trials, 5 database
unreachable or too old, 6 another driver holds the study, 130 and 143 on signals.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import pkgutil
import sys
import traceback
from pathlib import Path

from hnet_core.errors import HnetError
from studies.output.closed_pipe import discard
from sweeps.cli import benchmark, db, preset, report, study, sweep, trial
from sweeps.cli.root import app
from sweeps.driver.stop_signals import Terminated

for group in (sweep, trial, study, report, benchmark, db, preset):
    app.add_typer(group.app)
for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    importlib.import_module(f"sweeps.cli.{module.name}")


def main() -> None:
    """Run the command line; an HnetError becomes its message and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character gets its code point
            stream.reconfigure(errors="backslashreplace")
    try:
        _run()
    except HnetError as error:
        fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted.", 130)
    except Terminated:
        fail("terminated; the same command resumes from the last finished task of each trial.", 143)
    except BrokenPipeError:  # as of `hnet --help | head -1`; not an error
        _discard_output()
    except OSError as error:
        if error.errno not in _NO_ROOM:
            _fail_unexpected(error)
        place = error.filename or "standard output, or a file"
        fail(f"{place} must take what is written to it, got: {error.strerror}; free space or name another place.", 2)
    except Exception as error:
        _fail_unexpected(error)


def _run() -> None:
    """Run the command; raises BrokenPipeError if the reader of its output left."""
    try:
        app()
    except SystemExit as leaving:  # Typer and Rich exit with 1 after a BrokenPipeError
        if isinstance(leaving.__context__, BrokenPipeError):
            raise leaving.__context__ from None
        sys.stdout.flush()  # else the interpreter would, after the last place where an error can be caught
        raise


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def _fail_unexpected(error: Exception) -> None:
    if os.environ.get("HNET_TRACEBACK"):
        traceback.print_exc()
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    fail(f"unexpected {what} (a bug; HNET_TRACEBACK=1 shows where)", 1)


def fail(message: str, code: int) -> None:
    """Print an error to standard error and exit with a code, with it also where nobody reads the error."""
    try:
        for line in message.splitlines():
            print(f"error: {line}", file=sys.stderr)
    except BrokenPipeError:
        _discard_output()
    sys.exit(code)


def _discard_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        discard(stream)

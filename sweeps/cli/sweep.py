"""`hnet sweep`: check, run, watch and stop sweeps."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studies import DEFAULT_URL
from sweeps.cli.options import Assignments, Data, Database, ObjectFormat, Output, Source

if TYPE_CHECKING:
    from studies.queries.record import StudyRecord, TrialCounts

app = typer.Typer(help="Run a hyperparameter sweep, or go on with one.", no_args_is_help=True)

Study = Annotated[str, typer.Argument(help="Name of the study, see: hnet study ls", show_default=False)]
NewName = Annotated[str | None, typer.Option("--study", help="Name of the study, instead of the spec's.")]


@app.command()
def run(
    spec: Source,
    study: NewName = None,
    db: Database = DEFAULT_URL,
    data: Data = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Training processes at a time [default: one per CPU core].")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Ray cluster to join: auto or host:port.")] = None,
    storage: Annotated[
        str | None, typer.Option(help="Path or URI for checkpoints that every node reaches [default: the driver].")
    ] = None,
    set_: Assignments = None,
) -> None:
    """Run a sweep; the same command again goes on with one that was interrupted.

    Exit code 4 means it is finished and trials have failed, or there is no result at all.
    """
    from studies.database.urls import mask_passwords
    from studies.spec.deviations import contradictions, reductions
    from studies.spec.loading import load_spec
    from studies.spec.reachability import doubts
    from sweeps.presets import open_document
    from sweeps.provenance import command_line
    from sweeps.runner import run_sweep

    document = open_document(spec)
    checked = load_spec(document, _root(data), set_ or [], study, trained_here=address is None)
    with messages():
        for line in (*contradictions(checked), *doubts(checked, _root(data))):
            logging.getLogger("hnet").warning("Warning: %s.", line)
        for line in reductions(checked):
            logging.getLogger("hnet").info("Reduced, not a reproduction of the paper: %s.", line)
        try:
            outcome = run_sweep(checked, db, _root(data), workers, address, storage, document.text)
        except KeyboardInterrupt:
            print(f"Abandoned. Continue with: {command_line()}", file=sys.stderr)
            raise typer.Exit(130) from None
    if outcome.stopped:
        print(f"Stopped. Continue with: {command_line()}", file=sys.stderr)
        raise typer.Exit(130 if outcome.interrupted else 0)
    typed = db != (os.environ.get("HNET_DB") or DEFAULT_URL)
    where = f"{shlex.quote(outcome.study)}{' --db ' + shlex.quote(mask_passwords(db)) if typed else ''}"
    tally, planned = outcome.tally, checked.planned_trials
    if tally.complete:
        is_whole = planned is None or checked.has_asked_all(tally.asked, tally.skipped + tally.duplicates)
        ended = "Finished" if is_whole else f"Ended early, {tally.asked} of {planned}"
        print(f"{ended}. Look at it: hnet report tradeoff {where} -o report", file=sys.stderr)
    else:
        print(f"Ended without a result; why: hnet study trials {where}", file=sys.stderr)
    if tally.failed or tally.seeds_failed:
        seeds = f" and further seeds of {tally.seeds_failed}" if tally.seeds_failed else ""
        print(f"{tally.failed} trials failed{seeds}; why: hnet study trials {where}", file=sys.stderr)
    if tally.failed or tally.seeds_failed or not tally.complete:
        raise typer.Exit(4)


@app.command()
def check(
    spec: Source,
    study: NewName = None,
    data: Data = None,
    workers: Annotated[int | None, typer.Option(min=1, help="To estimate the time for.")] = None,
    set_: Assignments = None,
    db: Database = DEFAULT_URL,
    format: ObjectFormat = "table",
    output: Output = None,
) -> None:
    """Check a spec in full without writing anything, and estimate how long the sweep takes.

    The database is looked at for the study of `warm_start` only.
    """
    import studies
    from studies.output.formats import write_object
    from studies.spec.loading import load_spec
    from sweeps.estimate import estimate
    from sweeps.presets import open_document
    from sweeps.search.warm_start import check_past

    checked = load_spec(open_document(spec), _root(data), set_ or [], study, trained_here=True)
    if checked.warm_start is not None:
        check_past(checked, studies.open(db))
    write_object(estimate(checked, _root(data), workers), format, output, f"{spec} is a valid sweep")


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="File to write; the study is named after it.")] = Path("sweep.yaml"),
) -> None:
    """Write a commented spec to start from, ready to check and to run."""
    from hnet_core.errors import ConfigInvalid
    from sweeps.presets import starter_text

    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(starter_text(file.stem))
    except FileExistsError:
        raise ConfigInvalid(f"{file} is there already and is left as it is; name another file or remove it.") from None
    except OSError as error:
        raise ConfigInvalid(f"{file}: must be a file that can be written, got: {error.strerror}.") from None
    name = shlex.quote(str(file))
    print(f"Wrote {name}. Check it: hnet sweep check {name}; run it: hnet sweep run {name}", file=sys.stderr)


@app.command()
def status(study: Study, db: Database = DEFAULT_URL, format: ObjectFormat = "table", output: Output = None) -> None:
    """How far a study is, and who drives it."""
    import studies
    from studies.output.formats import write_object

    found = studies.open(db)
    write_object(_status(found.study(study), found.trial_counts(study)), format, output, f"Study {study}")


@app.command()
def stop(study: Study, db: Database = DEFAULT_URL) -> None:
    """Ask the driver of a study to stop after its running trials."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies
    from studies.store.store import Store
    from sweeps.driver.lease_heartbeat import is_dead

    engine = connect(db)
    record = Studies(engine).study(study)
    if record.driver is None:
        print(f"Nobody drives study {study} now; there is nothing to stop.", file=sys.stderr)
        return
    driver = f"process {record.driver['pid']} on {record.driver['host']}"
    if is_dead(record.driver):
        print(f"The driver of study {study}, {driver}, is dead; there is nothing to stop.", file=sys.stderr)
        return
    Store(engine).request_stop(record.id)
    print(f"Asked {driver} to stop; it finishes its running trials first.", file=sys.stderr)


def _status(record: StudyRecord, counts: TrialCounts) -> dict[str, Any]:
    from studies.spec.spec import planned_trials

    states = counts.states
    return {
        "study": record.name,
        "planned": None if record.is_imported else planned_trials(record.spec),
        "asked": counts.total - states["SKIPPED"] - counts.duplicates,
        "done": states["COMPLETE"] - counts.duplicates,
        "running": states["RUNNING"],
        "failed": states["FAILED"],
        "skipped": states["SKIPPED"],
        "duplicates": counts.duplicates,
        "driver": record.driver,
        "stop_requested": record.stop_requested,
        "driver_hours": record.driver_seconds / 3600,
    }


@contextmanager
def messages() -> Iterator[None]:
    """Our own messages go to stderr as they are, one line each."""
    log = logging.getLogger("hnet")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)


def _root(data: Path | None) -> Path:
    from hnet_core.data import data_root

    return data_root(data)

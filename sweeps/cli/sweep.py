"""`hnet sweep`: check, run, watch and stop sweeps."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studies import DEFAULT_URL
from sweeps.cli.option_groups import with_option_groups
from sweeps.cli.options import Assignments, Database, ObjectOutput, RayCluster, Source, StudyName, TrialResources
from sweeps.cli.sweep_options import CheckOptions, RunOptions, RunSurroundings
from sweeps.cli.usage import App

if TYPE_CHECKING:
    from studies.queries.record import StudyRecord, TrialCounts
    from studies.spec.spec import SweepSpec
    from sweeps.driver.failure_guard import Verdict
    from sweeps.runner import Outcome

app = App(name="sweep", help="Run a hyperparameter sweep, or resume one.")


@app.command()
@with_option_groups
def run(
    spec: Source,
    options: RunOptions,
    cluster: RayCluster,
    resources: TrialResources,
    surroundings: RunSurroundings,
    set_: Assignments = None,
) -> None:
    """Run a sweep; repeat the command to resume an interrupted one.

    Exit code 4: the sweep is finished, but trials have failed or there is no result; or limits.failures stopped it.
    """
    if cluster.address is None:  # else the first line says whether the cluster answers
        print(f"Reading {spec}; PyTorch is loaded, which takes some seconds.", file=sys.stderr, flush=True)
    from studies.spec.loading import load_spec
    from studies.store.working_copy import working_copy
    from sweeps.presets import open_document
    from sweeps.provenance import command_line
    from sweeps.runner import run_sweep

    document, data = open_document(spec), data_folder(options.data)
    assignments = [*(set_ or []), *resources.assignments()]
    assignments += [] if surroundings.notify is None else [f"notify={json.dumps(surroundings.notify)}"]
    checked = load_spec(document, data, assignments, options.study, trained_here=cluster.address is None)
    with messages():
        _log_doubts(checked, data, options.db if surroundings.scratch is None else None)
        try:
            with working_copy(options.db, surroundings.scratch) as worked_on:
                outcome = run_sweep(
                    checked, worked_on, data, options.workers, cluster.address, cluster.storage, document.text
                )
        except KeyboardInterrupt:
            print(f"Abandoned. Continue with: {command_line()}", file=sys.stderr)
            raise typer.Exit(130) from None
    _exit(outcome, checked, options.db)


@app.command()
@with_option_groups
def check(
    spec: Source,
    options: CheckOptions,
    resources: TrialResources,
    set_: Assignments = None,
    db: Database = DEFAULT_URL,
    *,
    result: ObjectOutput,
) -> None:
    """Check a spec in full without writing anything, and estimate the duration of the sweep.

    The database is read only for the study of `warm_start`.
    """
    import studies
    from studies.spec.loading import load_spec
    from sweeps.estimate import estimate
    from sweeps.presets import open_document
    from sweeps.search.warm_start import check_past

    result.check()
    data, assignments = data_folder(options.data), [*(set_ or []), *resources.assignments()]
    checked = load_spec(open_document(spec), data, assignments, options.study, trained_here=True)
    if checked.warm_start is not None:
        check_past(checked, studies.open(db))
    result.write(estimate(checked, data, options.workers), f"{spec} is a valid sweep")


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
@with_option_groups
def status(study: StudyName, db: Database = DEFAULT_URL, *, result: ObjectOutput) -> None:
    """Show the progress of a study and the process that drives it."""
    import studies

    found = studies.open(db)
    _note_working_copy(db)
    result.write(_status(found.study(study), found.trial_counts(study)), f"Study {study}")


@app.command()
def stop(study: StudyName, db: Database = DEFAULT_URL) -> None:
    """Ask the driver of a study to stop after its running trials."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies
    from studies.store.leases import is_dead
    from studies.store.store import Store
    from studies.store.working_copy import request_stop

    engine = connect(db)
    record = Studies(engine).study(study)
    if request_stop(db, study):
        _note_working_copy(db)
        print("Asked it to stop; it finishes its running trials first.", file=sys.stderr)
        return
    if record.driver is None:
        print(f"No driver runs study {study}; there is nothing to stop.", file=sys.stderr)
        return
    driver = f"process {record.driver['pid']} on {record.driver['host']}"
    if is_dead(record.driver):
        print(f"The driver of study {study}, {driver}, is dead; there is nothing to stop.", file=sys.stderr)
        return
    Store(engine).request_stop(record.id)
    print(f"Asked {driver} to stop; it finishes its running trials first.", file=sys.stderr)


def _log_doubts(spec: SweepSpec, data: Path, db: str | None) -> None:
    """Log what may be unintended in a spec, and in the place of its database, if given."""
    from studies.database.network_files import network_warning
    from studies.spec.deviations import contradictions, reductions
    from studies.spec.reachability import doubts

    on_network = None if db is None else network_warning(db)
    for line in (*contradictions(spec), *doubts(spec, data), *filter(None, [on_network])):
        logging.getLogger("hnet").warning("Warning: %s.", line)
    for line in reductions(spec):
        logging.getLogger("hnet").info("Reduced, not a reproduction of the paper: %s.", line)


def _exit(outcome: Outcome, checked: SweepSpec, db: str) -> None:
    """Print how a sweep has ended; exit with a code other than 0 where that is not with results of every trial."""
    from sweeps.provenance import command_line

    if outcome.guarded is not None:
        _print_guarded(outcome.guarded, command_line())
        raise typer.Exit(4)
    if outcome.stopped:
        print(f"Stopped. Continue with: {command_line()}", file=sys.stderr)
        raise typer.Exit(130 if outcome.interrupted else 0)
    _print_end(outcome, checked, db)
    if outcome.counters.failed or outcome.counters.seeds_failed or not outcome.counters.complete:
        raise typer.Exit(4)


def _print_guarded(verdict: Verdict, command: str) -> None:
    """Print why the guard has stopped a sweep, with the traceback, and the command that continues it."""
    worst = verdict.commonest
    print((worst.traceback or "").rstrip(), file=sys.stderr)
    print(
        f"Stopped, since {verdict.finding} (limits.failures); {verdict.n_alike} of {verdict.n_failed} like trial "
        f"{worst.number}: {worst.reason}",
        file=sys.stderr,
    )
    print(f"Mend that and continue with: {command}", file=sys.stderr)


def _print_end(outcome: Outcome, spec: SweepSpec, db: str) -> None:
    """Print how a sweep ended, and the commands that show its results and failures."""
    from studies.database.urls import mask_passwords
    from sweeps.driver.progress import infeasible_text

    typed = db != (os.environ.get("HNET_DB") or DEFAULT_URL)
    where = f"{shlex.quote(outcome.study)}{' --db ' + shlex.quote(mask_passwords(db)) if typed else ''}"
    counters, ended = outcome.counters, "Finished"
    uncounted = counters.skipped + counters.duplicates
    if spec.planned_trials is not None and not spec.has_asked_all(counters.asked, uncounted):
        ended = f"Ended early, {counters.asked} of {spec.planned_trials}"
    if counters.complete:
        print(f"{ended}. Look at it: hnet report tradeoff {where} -o report", file=sys.stderr)
    else:
        print(f"Ended without a result; why: hnet study trials {where}", file=sys.stderr)
    infeasible = infeasible_text(spec, counters)
    if infeasible is not None:
        text = f"{infeasible[0].upper()}{infeasible[1:]}"
        print(f"{text}: there is no front; widen the search or loosen the constraints.", file=sys.stderr)
    if counters.failed or counters.seeds_failed:
        seeds = f" and further seeds of {counters.seeds_failed}" if counters.seeds_failed else ""
        failed = f"{counters.failed} trial{'' if counters.failed == 1 else 's'} failed"
        print(f"{failed}{seeds}; why: hnet study trials {where}", file=sys.stderr)


def _note_working_copy(db: str) -> None:
    """Tell the age of a database that is a copy of the one that a process works on."""
    from studies.store.working_copy import working_process

    process = working_process(db)
    if process is not None:
        age = time.time() - process["copied_at"]
        print(
            f"{db} is as of {age:.0f} s ago: process {process['pid']} on {process['host']} works on a copy of it.",
            file=sys.stderr,
        )


def _status(record: StudyRecord, counts: TrialCounts) -> dict[str, Any]:
    from studies.spec.spec import planned_trials

    states, own = counts.states, counts.own
    return {
        "study": record.name,
        "planned": None if record.is_imported else planned_trials(record.spec),
        "asked": sum(own.values()) - own["SKIPPED"],
        "done": own["COMPLETE"],
        "running": states["RUNNING"],
        "stale": record.stale_trials(states["RUNNING"]),
        "failed": own["FAILED"],
        "pruned": own["PRUNED"],
        "skipped": states["SKIPPED"],
        "duplicates": counts.duplicates,
        "running_trials": [
            {"number": number, "tasks_done": done, "tasks_in_all": in_all}
            for number, (done, in_all) in sorted(record.progress.items())
        ],
        "driver": record.driver,
        "stop_requested": record.stop_requested,
        "driver_hours": record.driver_seconds / 3600,
    }


@contextmanager
def messages() -> Iterator[None]:
    """Log our own messages to stderr, one line each, without a prefix."""
    log = logging.getLogger("hnet")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)


def data_folder(data: Path | None) -> Path:
    """Return the folder of the data sets, the default one without `--data`."""
    from hnet_core.data import data_root

    return data_root(data)

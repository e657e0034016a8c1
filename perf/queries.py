"""Cost of queries to a large database, with Optuna's own table of trials for comparison.

    python -m perf.make_db --trials 100000 --db large.db
    python -m perf.queries --db large.db            # a table; --json for rows; --write for docs/performance.md

A command is timed from its start to its end, imports included, a short one as the median of nine runs; `query` is the
same query within a process that has imported everything. CPU seconds hardly depend on the load of the machine, wall
seconds do.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import studies

WHERE = "compression_ratio < 0.2 and final_accuracy > 0.95 and method == 'hnet'"
QUALITIES = ("final_accuracy", "during_accuracy")
FRAME = ["number", "n", "compression_ratio", *(f"{name}{end}" for name in QUALITIES for end in ("", ".low", ".high"))]
OPTUNA_TRIALS = 10_000
RUNS = 9


@dataclass(frozen=True)
class QueryCost:
    """Cost of one query or command.

    Attributes:
        peak_mib: highest resident memory of its process, MiB; a command has a process of its own.
        size_mb: of the file it wrote, MB; None without a file.
    """

    what: str
    rows: int
    cpu_s: float
    wall_s: float
    peak_mib: float
    size_mb: float | None = None


def measure(db: str, study: str, folder: Path, with_report: bool = True) -> list[QueryCost]:
    """Measure every query to a study in a process of its own, and Optuna's for comparison."""
    n_trials = studies.open(db).trial_counts(study).states["COMPLETE"]
    hnet = [sys.executable, "-m", "sweeps"]
    listing = [*hnet, "study", "trials", study, "--where", WHERE, "--limit", "50", "--db", db]
    return [
        _typical("start of the interpreter", 0, [sys.executable, "-c", "pass"]),
        _typical("import of what hnet study trials needs", 0, [sys.executable, "-c", _IMPORTS]),
        _typical("hnet study trials --where ... --limit 50", 50, listing),
        _typical("the same with --sort -final_accuracy", 50, [*listing, "--sort", "-final_accuracy"]),
        _in_process(
            "query: trials(where=..., limit=50)", db, f"found.trial_rows({study!r}, {WHERE!r}, limit=50).values"
        ),
        _in_process("query: trade-off frame", db, f"found.trials({study!r}, columns={FRAME!r})"),
        _in_process("query: trials(), all columns", db, f"found.trials({study!r})"),
        _in_process("query: front()", db, f"found.front({study!r})"),
        *([_report(hnet, study, db, folder, n_trials)] if with_report else []),
        _optuna(folder / "optuna.db"),
    ]


def _report(hnet: list[str], study: str, db: str, folder: Path, n_trials: int) -> QueryCost:
    command = [*hnet, "report", "tradeoff", study, "--db", db, "-o", str(folder)]
    cost = _command("hnet report tradeoff", n_trials, command)
    return replace(cost, size_mb=(folder / "tradeoff.html").stat().st_size / 1e6)


_IMPORTS = (
    "import sweeps.cli, studies.database.open_database, studies.queries.studies, studies.output.trial_table, rich.table"
)

_QUERY = """
import sys, time, resource
import pandas, studies, studies.database.open_database, studies.queries.studies
found = studies.open(sys.argv[1])
found.studies()
start, cpu = time.perf_counter(), time.process_time()
rows = len({expression})
cpu, wall = time.process_time() - cpu, time.perf_counter() - start
print(rows, cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

_OPTUNA_QUERY = """
import sys, time, resource
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.load_study(study_name="s", storage="sqlite:///" + sys.argv[1])
start, cpu = time.perf_counter(), time.process_time()
rows = len(study.trials_dataframe())
cpu, wall = time.process_time() - cpu, time.perf_counter() - start
print(rows, cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _typical(what: str, rows: int, command: list[str]) -> QueryCost:
    """Return the run of a short command with the median wall time."""
    costs = [_command(what, rows, command) for _ in range(RUNS)]
    return sorted(costs, key=lambda cost: cost.wall_s)[RUNS // 2]


def _command(what: str, rows: int, command: list[str]) -> QueryCost:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    stderr = process.stderr.read() if process.stderr is not None else ""
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{what} must succeed, got: {stderr.strip().splitlines()[-1:]}")
    return QueryCost(what, rows, used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024)


def _in_process(what: str, db: str, expression: str) -> QueryCost:
    return _measured(what, [sys.executable, "-c", _QUERY.format(expression=expression), db])


def _measured(what: str, command: list[str]) -> QueryCost:
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    rows, cpu, wall, peak = (float(number) for number in printed)
    return QueryCost(what, int(rows), cpu, wall, peak)


def _optuna(path: Path) -> QueryCost:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna.create_study(study_name="s", storage=f"sqlite:///{path}", directions=["maximize", "minimize"])
    _fill(path, OPTUNA_TRIALS, optuna.distributions.distribution_to_json(optuna.distributions.FloatDistribution(0, 1)))
    return _measured("optuna: study.trials_dataframe()", [sys.executable, "-c", _OPTUNA_QUERY, str(path)])


def _fill(path: Path, n_trials: int, distribution: str) -> None:
    """Insert finished trials with two values and four parameters into Optuna's tables: its API would take minutes."""
    moment = "2026-11-21 00:00:00.000000"
    numbers = range(n_trials)
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete) "
            "VALUES (?, ?, 1, 'COMPLETE', ?, ?)",
            [(i + 1, i, moment, moment) for i in numbers],
        )
        connection.executemany(
            "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, 'FINITE')",
            [(i + 1, objective, i / n_trials) for i in numbers for objective in (0, 1)],
        )
        connection.executemany(
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)",
            [(i + 1, f"p{place}", i / n_trials, distribution) for i in numbers for place in range(4)],
        )


def table(costs: list[QueryCost]) -> str:
    """Return the costs as a Markdown table."""
    lines = ["| what | rows | CPU s | wall s | peak MiB | file MB |", "|---|---|---|---|---|---|"]
    for cost in costs:
        size = "" if cost.size_mb is None else f"{cost.size_mb:.1f}"
        lines.append(
            f"| {cost.what} | {cost.rows:,} | {cost.cpu_s:.2f} | {cost.wall_s:.2f} | {cost.peak_mib:.0f} | {size} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", required=True)
    parser.add_argument("--study", default="large")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="into the section `queries` of docs/performance.md")
    parser.add_argument("--no-report", action="store_true", help="leave out the report, which takes longest")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(arguments.db, arguments.study, Path(scratch), with_report=not arguments.no_report)
    if arguments.write:
        from perf.report import PAGE, replace_section  # after measuring: torch's memory would count in every process

        PAGE.write_text(replace_section(PAGE.read_text(), "queries", table(found)))
    print(json.dumps([asdict(cost) for cost in found], indent=1) if arguments.json else table(found))

"""Seconds and memory until a large study starts again: `python -m perf.restart --json`.

    python -m perf.make_db --trials 100000 --seeds 3 --tasks 2 --db large.db
    python -m perf.restart --db large.db --data DATA      # DATA holds MNIST

The made-up study (`perf.make_db`) gets its trials in Optuna's tables as a sampler of type TPE leaves them, where they
are missing. A start is timed in a process of its own from the spec to the moment at which the first new trial could be
asked for, without the start of Ray.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from sqlalchemy import func, insert, select

from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.spec.spec import SweepSpec
from sweeps.driver.driver import Driver
from sweeps.jobs import Message
from sweeps.runner import run_sweep
from sweeps.search.distributions import distribution
from sweeps.search.optuna_studies import open_sampler_study, open_storage, optuna_name

WINDOW = 5000


@dataclass(frozen=True)
class RestartCost:
    """Cost of starting a study again.

    Attributes:
        peak_mib: highest resident memory of the process, MiB.
    """

    n_trials: int
    seconds: float
    cpu_s: float
    peak_mib: float


def restart(url: str, study: str, data: Path | None) -> RestartCost:
    """Start a study again in this process, and end it before its first job."""
    engine = connect(url)
    stored = Studies(engine).study(study).spec
    engine.dispose()
    n_trials = stored["budget"]["trials"]
    spec = SweepSpec.model_validate({**stored, "budget": {"trials": n_trials + 1}})
    start, cpu = time.perf_counter(), time.process_time()
    found: list[RestartCost] = []

    def backend(driver: Driver, workers: int, address: str | None, on_message: Callable[[int, Message], bool]) -> None:
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append(RestartCost(driver.counters.complete, round(seconds, 2), round(cpu_s, 2), round(peak)))

    run_sweep(spec, url, data, backend=backend)
    return found[0]


def add_optuna_trials(url: str, study: str) -> None:
    """Give a study of `perf.make_db` the trials of its sampler, in bulk."""
    engine = connect(url)
    studies = Studies(engine)
    record = studies.study(study)
    spec = SweepSpec.model_validate(record.spec)
    name = optuna_name(study, record.uuid)
    open_sampler_study(name, url, list(spec.objectives.values()))
    storage = open_storage(url)
    study_id = storage.get_study_id_from_name(name)
    trials = models.TrialModel.__table__
    with storage.engine.begin() as connection:
        n_known = connection.scalar(select(func.count()).where(trials.c.study_id == study_id))
        first_id = int(connection.scalar(select(func.coalesce(func.max(trials.c.trial_id), 0))) or 0) + 1
        if n_known:
            return
        metrics = {number: values for number, *values in reversed(studies.run_values(study, list(spec.objectives)))}
        ledger = studies.ledger(study)
        for start in range(0, len(ledger), WINDOW):
            rows = ledger[start : start + WINDOW]
            for table, values in _rows(spec, study_id, first_id, rows, metrics):
                connection.execute(insert(table), values)
    storage.engine.dispose()
    engine.dispose()


def _rows(
    spec: SweepSpec, study_id: int, first_id: int, rows: list[Any], metrics: dict[int, list[float]]
) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    kinds = {name: distribution(wanted) for name, wanted in spec.search.items()}
    as_json = {name: distribution_to_json(kind) for name, kind in kinds.items()}
    ids = [(first_id + row["number"], row) for row in rows]
    times = {"datetime_start": rows[0]["created_at"], "datetime_complete": rows[0]["created_at"]}
    yield (
        models.TrialModel.__table__,
        [
            {"trial_id": i, "number": row["number"], "study_id": study_id, "state": "COMPLETE", **times}
            for i, row in ids
        ],
    )
    yield models.TrialParamModel.__table__, [
        {
            "trial_id": i, "param_name": name, "param_value": kinds[name].to_internal_repr(value),
            "distribution_json": as_json[name],
        }
        for i, row in ids for name, value in row["params"].items()
    ]  # fmt: skip
    yield (
        models.TrialValueModel.__table__,
        [
            {"trial_id": i, "objective": objective, "value": value, "value_type": "FINITE"}
            for i, row in ids
            for objective, value in enumerate(metrics[row["number"]])
        ],
    )
    yield (
        models.TrialSystemAttributeModel.__table__,
        [
            {"trial_id": i, "key": "tpe:relative_params:0", "value_json": json.dumps(json.dumps(row["params"]))}
            for i, row in ids
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True)
    parser.add_argument("--study", default="large")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true", help="print the row as JSON, and nothing else")
    arguments = parser.parse_args()
    add_optuna_trials(arguments.db, arguments.study)
    code = (
        "import sys, json; from pathlib import Path; from dataclasses import asdict; from perf.restart import restart; "
    )
    code += "print(json.dumps(asdict(restart(sys.argv[1], sys.argv[2], Path(sys.argv[3]) if sys.argv[3] else None))))"
    command = [sys.executable, "-c", code, arguments.db, arguments.study, str(arguments.data or "")]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    cost = RestartCost(**json.loads(done.stdout.splitlines()[-1]))
    if arguments.json:
        print(json.dumps(asdict(cost)))
    else:
        print(f"{cost.n_trials} trials: {cost.seconds:.1f} s ({cost.cpu_s:.1f} s of CPU), {cost.peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()

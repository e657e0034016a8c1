"""Cost of a sweep apart from training: `python -m perf.sweep --json`.

Trials that train nothing (perf/noop.py) are run by

- driver: our driver alone, in this process (SQLite, NSGA-II), in blocks of finished trials, so that growth would
  show. A duplicate (a suggested configuration that was measured before) counts as a trial: it is suggested, stored and
  reported like any other, and NSGA-II suggests more of them the longer it runs (a fifth of the first 2,500);
- hnet: the complete service on Ray, two workers; the processor time of every process, Ray's own included;
- hnet, a message per task: the same without batching of messages, as when every task takes longer than the batching;
- tune: plain Ray Tune with OptunaSearch on an RDB storage and a function trainable, as one would write it by hand.

The last three exclude the fixed cost of starting Ray: the row is the slope between a short and a long run, measured
from a second process. Each row: milliseconds of processor time per trial, those spent in `ask` (drawing parameters),
and the rest.

`--endurance 10000 --db URL` runs that many trials in this process, checks the database as `hnet db check` does, and
prints time, driver memory and database size; the exit code is 1 unless all trials are COMPLETE without a problem.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from sqlalchemy import Engine, text

from perf.noop import no_work, noop_spec
from perf.postgres_server import postgres_server
from studies.database.integrity import check_database
from studies.database.open_database import connect
from sweeps.driver.driver import Driver
from sweeps.jobs import Message
from sweeps.runner import run_sweep

BLOCK = 100
# Trials of the short run (all workers are up by then) and of the long one; the cost of starting Ray varies by seconds.
MESSAGE_PER_TASK = "hnet, a message per task"
LENGTHS = {"hnet": (100, 1000), MESSAGE_PER_TASK: (100, 1000), "tune": (5, 25)}
SECONDS_BETWEEN_LOOKS = 0.1


@dataclass(frozen=True)
class ServiceCost:
    what: str
    after_trials: int
    cpu_ms: float
    ask_ms: float
    rest_ms: float


def driver_rows(trials: int, sampler: str = "nsga2") -> list[ServiceCost]:
    """Run the driver in this process; one row per block of finished trials."""
    rows: list[ServiceCost] = []
    with tempfile.TemporaryDirectory() as folder, _clock_of(Driver, "_ask") as ask:

        def backend(driver: Driver, workers: int, address: str | None, send: Callable[[int, Message], bool]) -> None:
            began, asked, before = time.process_time(), ask[0], 0
            while (job := driver.next_job()) is not None:
                for message in no_work(job):
                    send(job.number, message)
                finished = driver.counters.complete + driver.counters.duplicates
                if finished - before >= BLOCK:
                    per_trial = 1000 / (finished - before)
                    cpu, asking = per_trial * (time.process_time() - began), per_trial * (ask[0] - asked)
                    rows.append(ServiceCost(f"driver, {sampler}", finished, cpu, asking, cpu - asking))
                    began, asked, before = time.process_time(), ask[0], finished

        run_sweep(noop_spec(sampler, trials), f"{folder}/noop.db", backend=backend)
    return rows


@contextmanager
def _clock_of(owner: type, method: str) -> Iterator[list[float]]:
    """Measure the processor seconds spent in a method, in a list of one."""
    spent, real = [0.0], getattr(owner, method)

    def timed(*args: Any, **options: Any) -> Any:
        began = time.process_time()
        try:
            return real(*args, **options)
        finally:
            spent[0] += time.process_time() - began

    setattr(owner, method, timed)
    try:
        yield spent
    finally:
        setattr(owner, method, real)


def service_rows() -> list[ServiceCost]:
    """Measure the processor time per trial of our service and of plain Ray Tune, each in a process of its own."""
    rows = []
    for what, (few, many) in LENGTHS.items():
        short, long = (_in_own_process(what, trials) for trials in (few, many))
        cpu, ask = (1000 * (after - before) / (many - few) for before, after in zip(short, long, strict=True))
        rows.append(ServiceCost(what, many, cpu, ask, cpu - ask))
    return rows


def _in_own_process(what: str, trials: int) -> tuple[float, float]:
    """Return the processor seconds of all processes of a run, and those spent in `ask`."""
    command = [sys.executable, "-m", "perf.sweep", "--one", what, "--trials", str(trials)]
    with tempfile.TemporaryFile("w+") as output, subprocess.Popen(command, stdout=output) as process:
        clock = _TreeClock(process.pid)
        while process.poll() is None:
            clock.look()
            time.sleep(SECONDS_BETWEEN_LOOKS)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}; see above.")
        output.seek(0)
        return clock.seconds, float(output.read().splitlines()[-1])


def run_service(trials: int, message_per_task: bool) -> float:
    """Run our sweep on Ray; return the processor seconds spent in `ask`."""
    from perf.noop_trainable import MessagePerTaskTrainable, NoopTrainable
    from sweeps.ray_backend.searcher import run_with_ray

    trainable = MessagePerTaskTrainable if message_per_task else NoopTrainable

    def backend(driver: Driver, workers: int, address: str | None, send: Callable[[int, Message], bool]) -> None:
        run_with_ray(driver, workers, address, send, trainable)

    with tempfile.TemporaryDirectory() as folder, _clock_of(Driver, "_ask") as ask:
        run_sweep(noop_spec("nsga2", trials), f"{folder}/noop.db", workers=2, backend=backend)
        return ask[0]


def run_tune(trials: int) -> float:
    """Run as many trials of the same search with Ray Tune and Optuna; return the seconds spent in `suggest`."""
    import optuna
    import ray
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)

    def trainable(config: dict[str, Any]) -> None:
        for _ in range(5):
            tune.report({"accuracy": 0.5, "ratio": config["chunk_size"] / 1500})

    with tempfile.TemporaryDirectory() as folder, _clock_of(OptunaSearch, "suggest") as ask:
        storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/optuna.db")
        space = {
            "beta_output": tune.loguniform(0.0005, 1.0),
            "lr": tune.loguniform(0.0001, 0.1),
            "chunk_size": tune.lograndint(50, 1500),
            "task_embedding": tune.randint(4, 97),
            "chunk_embedding": tune.randint(4, 97),
        }
        search = OptunaSearch(
            metric=["accuracy", "ratio"], mode=["max", "min"], storage=storage, study_name="noop",
            sampler=optuna.samplers.NSGAIISampler(seed=0),
        )  # fmt: skip
        config = tune.TuneConfig(search_alg=search, num_samples=trials, max_concurrent_trials=2)
        tune.Tuner(
            trainable, param_space=space, tune_config=config, run_config=tune.RunConfig(storage_path=folder, verbose=0)
        ).fit()
        return ask[0]


class _TreeClock:
    """Processor seconds of a process and all its descendants, each as last observed.

    The kernel drops the time of children that no parent waits for, such as Ray's workers.
    """

    def __init__(self, root: int) -> None:
        self._root = psutil.Process(root)
        self._seen: dict[tuple[int, float], float] = {}

    def look(self) -> None:
        with contextlib.suppress(psutil.Error):
            for process in (self._root, *self._root.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    self._seen[process.pid, process.create_time()] = sum(process.cpu_times()[:2])

    @property
    def seconds(self) -> float:
        return sum(self._seen.values())


@dataclass(frozen=True)
class Endurance:
    """Result of a very long study; memory is the driver's, sizes are of all tables, Optuna's included.

    Attributes:
        problems: number of problems found by `hnet db check`.
    """

    database: str
    sampler: str
    trials: int
    complete: int
    problems: int
    minutes: float
    cpu_ms_per_trial: float
    peak_driver_mib: float
    database_mib: float


def endurance(trials: int, sampler: str, url: str) -> Endurance:
    """Run very many trials on one database in this process."""

    def backend(driver: Driver, workers: int, address: str | None, send: Callable[[int, Message], bool]) -> None:
        while (job := driver.next_job()) is not None:
            for message in no_work(job):
                send(job.number, message)

    began, cpu = time.perf_counter(), time.process_time()
    outcome = run_sweep(noop_spec(sampler, trials, study=f"noop-{sampler}-{trials}"), url, backend=backend)
    minutes, cpu = (time.perf_counter() - began) / 60, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    engine = connect(url)
    return Endurance(
        database=engine.dialect.name,
        sampler=sampler,
        trials=trials,
        complete=outcome.counters.complete,
        problems=len(check_database(engine).problems),
        minutes=minutes,
        cpu_ms_per_trial=1000 * cpu / trials,
        peak_driver_mib=peak,
        database_mib=_mib(engine),
    )


def _mib(engine: Engine) -> float:
    """Return the size of a database with its indices, MiB."""
    sizes = {
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        "postgresql": "SELECT pg_database_size(current_database())",
    }
    with engine.connect() as connection:
        size: int = connection.execute(text(sizes[engine.dialect.name])).scalar_one()
    return size / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000, help="trained ones, of the driver's rows")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--without-ray", action="store_true", help="the driver's rows only")
    parser.add_argument("--endurance", type=int, metavar="TRIALS")
    parser.add_argument("--sampler", default="nsga2")
    parser.add_argument("--db", default="noop.db", help="of --endurance; the word postgresql: a server of its own")
    parser.add_argument("--one", choices=list(LENGTHS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        tune, message_per_task = arguments.one == "tune", arguments.one == MESSAGE_PER_TASK
        print(run_tune(arguments.trials) if tune else run_service(arguments.trials, message_per_task))
        return
    if arguments.endurance:
        with postgres_server() if arguments.db == "postgresql" else contextlib.nullcontext() as server:
            url = arguments.db if server is None else server.sqlalchemy_url
            ended = endurance(arguments.endurance, arguments.sampler, url)
        print(json.dumps(asdict(ended), indent=2))
        sys.exit(1 if ended.problems or ended.complete != ended.trials else 0)
    rows = driver_rows(arguments.trials, arguments.sampler)
    if not arguments.without_ray:
        rows += service_rows()
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        print(f"{row.what:14} {row.after_trials:6} {row.cpu_ms:8.1f} {row.ask_ms:8.1f} {row.rest_ms:8.1f}")
    if len(rows) > 4:
        rests = [row.rest_ms for row in rows if row.what.startswith("driver")]
        print(f"driver, median: {statistics.median(rests):.1f} ms beside asking")


if __name__ == "__main__":
    main()

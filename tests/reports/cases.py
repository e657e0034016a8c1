"""Studies a report must cope with, written through the real Store, and a trial as the report modules see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from sqlalchemy import Engine, select, update

import studies
from hnet_core.trial import Matrix, Measure, TrialResult
from reports.data.study_data import Quality, StudyData
from reports.data.trial import Measured, Trial
from studies.database.open_database import connect
from studies.database.schema import study, trial
from studies.metrics.definitions import METRICS
from studies.queries.record import StudyRecord
from studies.queries.studies import Studies
from studies.statistics.interval import Interval
from studies.store.imported_trials import ImportedRun, ImportedTrial, ImportedWeights
from studies.store.store import Store
from studies.store.trial_import import import_trials
from tests.studies.sample import PROVENANCE, describe, sample_params, sample_result, sample_spec

SPEC = MappingProxyType(sample_spec("small", 4, 3, 4))
COLUMNS = {
    column: i for i, column in enumerate(["n", *(f"{m}{end}" for m in METRICS for end in ("", ".low", ".high"))])
}
ACCURACY = Quality("final_accuracy", "during_accuracy", "validation_final_accuracy", "accuracy")


def make_trial(number: int, ratio: float, accuracy: float, validation: float | None = None, **more: Any) -> Trial:
    """A finished configuration with an interval of +-0.01 around its accuracy."""
    values = {name: Interval(None, None, None, 3) for name in METRICS}
    interval = Interval(accuracy, accuracy - 0.01, accuracy + 0.01, 3)
    values |= {
        "final_accuracy": interval,
        "during_accuracy": interval,
        "compression_ratio": Interval(ratio, None, None, 3),
    }
    if validation is not None:
        values["validation_final_accuracy"] = Interval(validation, None, None, 3)
    content: dict[str, Any] = {"state": "COMPLETE", "reason": None, "duplicate_of": None, "n": 3, "params": {}}
    return Trial(**{"number": number, "metrics": measured(values), **content, **more})


def measured(metrics: Mapping[str, Interval]) -> Measured:
    """The metrics of a trial from their intervals."""
    row = [max(interval.n for interval in metrics.values())]
    for name in METRICS:
        row += [metrics[name].mean, metrics[name].low, metrics[name].high]
    return Measured(row, COLUMNS, {name: interval.n for name, interval in metrics.items()})


def make_study_data(
    trials: Sequence[Trial],
    front: Sequence[int] = (),
    spec: Mapping[str, Any] = SPEC,
    quality: Quality = ACCURACY,
    feasible: Sequence[int] | None = None,
    parameters: tuple[str, ...] = (),
) -> StudyData:
    """The data of a study of trials made by hand; all are feasible unless said otherwise."""
    by_number = {trial.number: trial for trial in trials}
    return StudyData(
        record=make_record(spec),
        quality=quality,
        parameters=parameters,
        trials=tuple(trials),
        configurations=tuple(t for t in trials if t.state == "COMPLETE" and t.duplicate_of is None),
        feasible=frozenset(by_number if feasible is None else feasible),
        front=tuple(by_number[number] for number in front),
    )


def make_record(spec: Mapping[str, Any], launches: Sequence[Mapping[str, Any]] = ()) -> StudyRecord:
    """A study without a database."""
    return StudyRecord(
        id=1, name="small", uuid="u", spec=dict(spec), seeds=3, created_at=datetime(2026, 1, 1, tzinfo=UTC),
        launches=[dict(row) for row in launches], driver=None, stop_requested=False,
        driver_seconds=1.0,
    )  # fmt: skip


def new_engine(folder: Path) -> Engine:
    return connect(str(folder / "study.db"), create=True)


def open_in(folder: Path) -> Studies:
    return studies.open(str(folder / "study.db"))


def fill(
    engine: Engine,
    results: Sequence[Sequence[TrialResult] | str],
    *,
    name: str = "case",
    params: Sequence[Mapping[str, Any]] | None = None,
    trained: Sequence[Mapping[str, Any]] | None = None,
    measure: str = "accuracy",
    provenance: Mapping[str, Any] = MappingProxyType({}),
    **spec: Any,
) -> str:
    """A study with one trial per entry: the runs of a finished one, or the reason of a failed one.

    Args:
        params: searched values to record, whatever was trained.
        trained: searched values that were trained with, where they are not those of `some_params`.
    """
    store = Store(engine)
    study_id = store.create_study(name, {**sample_spec(name, len(results), 3, 4), **spec}, 3)
    launch = store.record_launch(study_id, {**PROVENANCE, **provenance})
    for number, outcome in enumerate(results):
        own = dict(trained[number]) if trained else some_params(number)
        what = replace(describe(own, 4, measure), params=params[number] if params else own)
        store.start_trial(study_id, number, what, launch_id=launch, attempt=1)
        if isinstance(outcome, str):
            store.fail_trial(study_id, number, 1, outcome, "Traceback\n")
        else:
            store.complete_trial(study_id, number, 1, outcome)
    return name


def make_outdated(engine: Engine, name: str, number: int) -> None:
    """Give a trial a configuration that an earlier version evaluated in a wrong way."""
    of_study = select(study.c.id).where(study.c.name == name).scalar_subquery()
    with engine.execution_options(hnet_writes=True).begin() as connection:
        config = connection.scalar(select(trial.c.config).where(trial.c.study_id == of_study, trial.c.number == number))
        assert config is not None
        target = {"name": "resnet32", "normalization": "task"}
        changed = {**config, "method": {"name": "finetune"}, "target": target}
        connection.execute(
            update(trial).where(trial.c.study_id == of_study, trial.c.number == number).values(config=changed)
        )


def some_params(number: int) -> dict[str, Any]:
    return sample_params(np.random.default_rng(number))


def some_runs(number: int, seeds: int = 3, measure: str = "accuracy") -> list[TrialResult]:
    return [sample_result(some_params(number), 4, seed, measure) for seed in range(seeds)]


def inferring(result: TrialResult) -> TrialResult:
    """A run of a scenario where the task is not known: it is inferred right for most inputs."""

    def scaled(factor: float) -> Matrix:
        return tuple(
            tuple(None if value is None else value * (factor - 0.01 * task) for task, value in enumerate(row))
            for row in result.test
        )

    return replace(result, known_task=scaled(1.0), inferred_task=result.test, task_inference=scaled(0.9))


def import_cells(
    folder: Path,
    name: str,
    trials: Sequence[Sequence[Mapping[tuple[int, int], float]]],
    settings: Sequence[Mapping[str, Any]] = (),
    measure: Measure = "accuracy",
    search: Mapping[str, Any] | None = None,
    objectives: Mapping[str, str] | None = None,
) -> None:
    """A study of results measured elsewhere.

    Args:
        trials: for each trial the test cells of each seed, (after_task, on_task) -> value; its ratio is 0.1, 0.2, ...
        settings: those of each trial; {} if not given.
        search: the search of the spec, which an imported study lacks.
    """
    imported = [
        ImportedTrial(
            number=number,
            params=settings[number] if settings else {},
            weights=ImportedWeights(1000, 100 * (number + 1)),
            measure=measure,
            n_tasks=max(task for cells in seeds for cell in cells for task in cell),
            runs=[
                ImportedRun(seed, {("test", *cell): value for cell, value in cells.items()})
                for seed, cells in enumerate(seeds)
            ],
        )
        for number, seeds in enumerate(trials)
    ]
    goals = objectives or {
        f"final_{measure}": "maximize" if measure == "accuracy" else "minimize",
        "compression_ratio": "minimize",
    }
    engine = new_engine(folder)
    import_trials(engine, name, imported, "results.csv", goals)
    if search is not None:
        with engine.execution_options(hnet_writes=True).begin() as connection:
            spec = connection.scalar(select(study.c.spec).where(study.c.name == name))
            assert spec is not None
            connection.execute(update(study).where(study.c.name == name).values(spec={**spec, "search": search}))
    engine.dispose()

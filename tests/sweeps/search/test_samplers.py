"""Optuna's tables in our database, created by the first process."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy.exc import IntegrityError

from studies.database.connections import despite_races
from studies.database.open_database import connect
from sweeps.search.samplers import make_sampler, open_optuna_study
from tests.sweeps.tiny import tiny_spec


@pytest.mark.slow
def test_sweeps_that_start_at_the_same_moment_on_a_new_database_all_start(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for attempt in range(3):  # without a second try some three in four of these rounds lose a sweep
        gun = context.Barrier(3)
        starts = [
            context.Process(target=_start, args=(gun, str(tmp_path / f"{attempt}.db"), name))
            for name in ("a", "b", "c")
        ]
        for start in starts:
            start.start()
        for start in starts:
            start.join(60)
        assert [start.exitcode for start in starts] == [0, 0, 0]


def _start(gun: Any, path: str, name: str) -> None:
    import optuna.storages._rdb.storage  # noqa: F401  (so that nobody is late)

    gun.wait(60)
    engine = connect(path, create=True)
    open_optuna_study(name, engine.url.render_as_string(hide_password=False), tiny_spec())


def test_a_permanent_error_is_raised_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    tries: list[int] = []

    def make(failures: int) -> str:
        tries.append(1)
        if len(tries) <= failures:
            raise IntegrityError("insert", None, ValueError("UNIQUE constraint failed"))
        return "made"

    assert despite_races(lambda: make(5)) == "made"
    tries.clear()
    with pytest.raises(IntegrityError):
        despite_races(lambda: make(6))
    assert len(tries) == 6
    tries.clear()
    with pytest.raises(ZeroDivisionError):  # of another kind: at once
        despite_races(lambda: tries.append(1) or 1 / 0)
    assert len(tries) == 1


@pytest.mark.parametrize(("objectives", "jointly"), [({"final_accuracy": "maximize"}, True), (None, False)])
def test_tpe_models_the_fields_jointly_for_one_objective_only(objectives: dict[str, str] | None, jointly: bool) -> None:
    changes = {} if objectives is None else {"objectives": objectives}
    study = optuna.create_study(directions=["maximize"] if jointly else ["maximize", "minimize"])
    sampler = make_sampler(tiny_spec(sampler="tpe", **changes), n_drawn=0)
    for _ in range(2):
        trial = study.ask({"a": optuna.distributions.FloatDistribution(0, 1)})
        study.tell(trial, [0.5] if jointly else [0.5, 0.5])
    assert bool(sampler.infer_relative_search_space(study, study.trials[-1])) == jointly

"""The write-through cache behaves as the storage behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweeps.search.cached_storage import CachedStorage

DIRECTIONS = (StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE)
DISTRIBUTIONS = {
    "beta": FloatDistribution(1e-4, 1.0, log=True),
    "chunk": IntDistribution(50, 1500, log=True),
    "method": CategoricalDistribution(["hnet", "hypermask"]),
}


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[RDBStorage]:
    storage = RDBStorage(f"sqlite:///{tmp_path}/optuna.db")
    yield storage
    storage.remove_session()


def cached_study(backend: BaseStorage) -> CachedStorage:
    return CachedStorage(backend, backend.create_new_study(list(DIRECTIONS), "a"))


def comparable(trials: list[FrozenTrial]) -> list[dict[str, Any]]:
    """Attributes of trials, except the time they ended, which each storage sets itself."""
    return [{**vars(trial), "datetime_complete": trial.datetime_complete is not None} for trial in trials]


STEPS = st.sampled_from(["ask", "enqueue", "param", "user", "system", "report", "complete", "prune", "study"])


@pytest.mark.slow
@given(steps=st.lists(st.tuples(STEPS, st.integers(0, 3), st.floats(0.01, 0.99)), min_size=3, max_size=12))
@settings(max_examples=10, deadline=None)
def test_what_is_cached_is_what_another_reader_finds(
    steps: list[tuple[str, int, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tables = RDBStorage(f"sqlite:///{tmp_path_factory.mktemp('cached')}/optuna.db")  # without a cache
    cached = cached_study(get_storage(tables))
    for step, which, value in steps:
        running = cached.get_all_trials(1, states=(TrialState.RUNNING,))
        if step == "ask":
            cached.create_new_trial(1)
        elif step == "enqueue":
            cached.create_new_trial(1, create_trial(state=TrialState.WAITING, system_attrs={"fixed_params": {}}))
        elif step == "study":
            cached.set_study_system_attr(1, f"generation:{which}", (which, value))
        elif running:
            change(cached, running[which % len(running)], step, which, value)
        assert comparable(cached.get_all_trials(1)) == comparable(tables.get_all_trials(1))
        assert cached.get_study_system_attrs(1) == tables.get_study_system_attrs(1)


def change(storage: BaseStorage, trial: FrozenTrial, step: str, which: int, value: float) -> None:
    number = trial._trial_id
    if step == "param":
        name = list(DISTRIBUTIONS)[which % 3]
        internal = DISTRIBUTIONS[name].to_internal_repr([value, 50 + which, "hnet"][which % 3])
        if name not in trial.params:
            storage.set_trial_param(number, name, internal, DISTRIBUTIONS[name])
    elif step == "user":
        storage.set_trial_user_attr(number, f"rung {which}", (value, which))
    elif step == "system":
        storage.set_trial_system_attr(number, f"constraints:{which}", value)
    elif step == "report":
        storage.set_trial_intermediate_value(number, which, value)
    elif step == "complete":
        storage.set_trial_state_values(number, TrialState.COMPLETE, (value, math.inf if which == 0 else float(which)))
    else:
        storage.set_trial_state_values(number, TrialState.PRUNED)


SAMPLERS = {
    "nsga2": lambda: NSGAIISampler(population_size=6, seed=0),
    "tpe": lambda: TPESampler(multivariate=True, n_startup_trials=5, seed=0),
}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampler_draws_the_same_as_from_the_tables_themselves(sampler: str, tmp_path: Path) -> None:
    plain = get_storage(RDBStorage(f"sqlite:///{tmp_path}/plain.db"))
    plain.create_new_study(list(DIRECTIONS), "a")
    cached = cached_study(get_storage(RDBStorage(f"sqlite:///{tmp_path}/cached.db")))
    assert draw(plain, SAMPLERS[sampler]()) == draw(cached, SAMPLERS[sampler]())


def draw(storage: BaseStorage, sampler: BaseSampler) -> list[dict[str, Any]]:
    study, drawn = optuna.load_study(study_name="a", storage=storage, sampler=sampler), []
    for number in range(15):
        trial = study.ask(DISTRIBUTIONS)
        trial.set_constraint("ratio", trial.params["beta"] - 0.5)
        study.tell(number, (trial.params["beta"], trial.params["chunk"]))
        drawn.append(trial.params)
    return drawn


class FailsAfterWrite(CachedStorage):
    """A backend that commits a write and then, if `fails` is set, loses the connection."""

    fails = False

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        super().set_trial_system_attr(trial_id, key, value)
        if self.fails:
            raise StorageInternalError("server closed the connection unexpectedly")


def test_after_a_write_without_confirmation_everything_is_read_again(tables: RDBStorage) -> None:
    study = tables.create_new_study(list(DIRECTIONS), "a")
    backend = FailsAfterWrite(tables, study)
    cached = CachedStorage(backend, study)
    trial = cached.create_new_trial(study)
    backend.fails = True
    with pytest.raises(StorageInternalError):
        cached.set_trial_system_attr(trial, "constraints:ratio", 0.5)
    assert cached.get_trial(trial).system_attrs == {"constraints:ratio": 0.5}


def test_a_trial_that_was_handed_out_does_not_change(tables: RDBStorage) -> None:
    cached = cached_study(tables)
    trial = cached.create_new_trial(1)
    before, all_before = cached.get_trial(trial), cached.get_all_trials(1, deepcopy=False)
    cached.set_trial_param(trial, "beta", 0.5, DISTRIBUTIONS["beta"])
    cached.set_trial_state_values(trial, TrialState.COMPLETE, (0.9, 0.1))
    assert (before.params, before.state, all_before) == ({}, TrialState.RUNNING, [before])
    assert cached.get_trial(trial).params == {"beta": 0.5}


def test_a_parameter_keeps_the_kind_of_its_distribution(tables: RDBStorage) -> None:
    first = cached_study(tables)
    first.set_trial_param(first.create_new_trial(1), "beta", 0.5, DISTRIBUTIONS["beta"])
    for cached in (first, CachedStorage(tables, 1)):  # the second has read it from the tables
        trial = cached.create_new_trial(1)
        with pytest.raises(ValueError, match="different distribution"):
            cached.set_trial_param(trial, "beta", 0, CategoricalDistribution((0.5, 1.0)))
        assert tables.get_trial(trial).params == {} == cached.get_trial(trial).params


def test_a_finished_trial_cannot_be_changed(tables: RDBStorage) -> None:
    cached = cached_study(tables)
    trial = cached.create_new_trial(1)
    cached.set_trial_state_values(trial, TrialState.COMPLETE, (0.9, 0.1))
    with pytest.raises(UpdateFinishedTrialError):
        cached.set_trial_system_attr(trial, "late", 1)
    assert cached.get_trial(trial).system_attrs == {}


def test_trials_of_another_study_are_not_read_from_this_cache(tables: RDBStorage) -> None:
    cached, other = cached_study(tables), tables.create_new_study(list(DIRECTIONS), "other")
    with pytest.raises(KeyError, match="the only study cached"):
        cached.get_all_trials(other)

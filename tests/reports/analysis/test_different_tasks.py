"""Configurations that learn different tasks are not ranked: a scenario can be easier than another."""

from __future__ import annotations

from pathlib import Path

import studies
from reports.analysis.different_tasks import fields_of_different_tasks
from reports.analysis.recommendation import recommend
from reports.data.measured_studies import import_measured
from reports.data.study_data import read_study


def test_of_different_scenarios_no_configuration_is_recommended(tmp_path: Path) -> None:
    import_measured(str(tmp_path / "hnet.db"), "split_mnist_dgr")
    found = studies.open(str(tmp_path / "hnet.db"))
    data = read_study(found, "measured:split_mnist_dgr")
    assert fields_of_different_tasks(found, data) == ["scenario"]
    recommended = recommend(data, different_tasks=["scenario"])
    assert (recommended.best, recommended.near, recommended.knee) == (None, None, None)
    assert recommended.headline == (
        "The configurations do not learn the same tasks (scenario differs): a better accuracy may be due to easier "
        "tasks, so none is recommended. Show them apart with --by family."
    )


def test_configurations_of_one_stream_and_scenario_learn_the_same_tasks(tmp_path: Path) -> None:
    import_measured(str(tmp_path / "hnet.db"), "split_mnist_ewc_si_cl1")
    found = studies.open(str(tmp_path / "hnet.db"))
    data = read_study(found, "measured:split_mnist_ewc_si_cl1")
    assert len(data.configurations) == 2
    assert fields_of_different_tasks(found, data) == []

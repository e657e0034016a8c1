"""Pages with several studies say which of them has results that an earlier version computed in a wrong way."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from reports.pages.comparison import write as write_comparison
from reports.pages.tradeoff import write as write_tradeoff
from studies.database.schema import study, trial
from studies.queries.studies import Studies
from tests.reports.cases import fill, new_engine, open_in, some_runs


@pytest.fixture(scope="module")
def two_studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    folder = tmp_path_factory.mktemp("outdated")
    engine = new_engine(folder)
    for name in ("sound", "wrong"):
        fill(engine, [some_runs(0), some_runs(1)], name=name)
    of_study = select(study.c.id).where(study.c.name == "wrong").scalar_subquery()
    with engine.execution_options(hnet_writes=True).begin() as connection:
        config = connection.scalar(select(trial.c.config).where(trial.c.study_id == of_study, trial.c.number == 0))
        assert config is not None
        target = {"name": "resnet32", "normalization": "task"}
        changed = {**config, "method": {"name": "finetune"}, "target": target}
        connection.execute(
            update(trial).where(trial.c.study_id == of_study, trial.c.number == 0).values(config=changed)
        )
    engine.dispose()
    return open_in(folder)


NOTE = "<strong>Outdated:</strong> wrong: in 1 trial earlier tasks were evaluated"


@pytest.mark.parametrize("write", [write_tradeoff, write_comparison])
def test_the_study_with_outdated_results_is_named(write: object, two_studies: Studies, tmp_path: Path) -> None:
    html = write(two_studies, ["sound", "wrong"], tmp_path).read_text(encoding="utf-8")  # type: ignore[operator]
    assert html.count("Outdated:") == 1
    assert NOTE in html

"""Pages with several studies say which of them has results that an earlier version computed in a wrong way."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.pages.comparison import write as write_comparison
from reports.pages.tradeoff import write as write_tradeoff
from studies.queries.studies import Studies
from tests.reports.cases import fill, make_outdated, new_engine, open_in, some_runs


@pytest.fixture(scope="module")
def two_studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    folder = tmp_path_factory.mktemp("outdated")
    engine = new_engine(folder)
    for name in ("sound", "wrong"):
        fill(engine, [some_runs(0), some_runs(1)], name=name)
    make_outdated(engine, "wrong", 0)
    engine.dispose()
    return open_in(folder)


NOTE = "<strong>Outdated:</strong> wrong: in 1 trial earlier tasks were evaluated"


@pytest.mark.parametrize("write", [write_tradeoff, write_comparison])
def test_the_study_with_outdated_results_is_named(write: object, two_studies: Studies, tmp_path: Path) -> None:
    html = write(two_studies, ["sound", "wrong"], tmp_path).read_text(encoding="utf-8")  # type: ignore[operator]
    assert html.count("Outdated:") == 1
    assert NOTE in html

"""docs/benchmarks.md shows what comes with hnet in reports/measured."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

import studies
from hnet_core.config_validation import check_trial
from hnet_core.errors import NotFound
from reports.data.measured_studies import PREFIX, import_measured, import_missing, measured_names, measured_text
from reports.pages.benchmarks_document import MARKER, measured_markdown, with_measurements
from studies.database.open_database import connect
from studies.queries.studies import Studies
from tests.studies.sample import sample_study

PAGE = Path(__file__).parents[3] / "docs" / "benchmarks.md"


def test_the_document_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_measurements(text), "run: python -m reports.pages.benchmarks_document docs/benchmarks.md"


def test_a_document_without_the_marker_is_refused() -> None:
    with pytest.raises(ValueError, match="must have the line"):
        with_measurements("# Benchmarks\n")


@pytest.mark.parametrize("name", measured_names())
def test_a_measured_study_holds_its_configurations_and_no_name_of_a_machine(name: str) -> None:
    content = json.loads(measured_text(name))
    assert len(measured_text(name)) < 1_000_000
    assert all("host" not in launch and launch["git_commit"] for launch in content["launches"])
    for trial in content["trials"]:
        config, complaints = check_trial(trial["config"])
        assert config is not None, complaints
        assert config.hash() == trial["config_hash"]


def test_every_measured_study_can_be_copied_into_a_database(tmp_path: Path) -> None:
    url = str(tmp_path / "hnet.db")
    for name in measured_names():
        assert import_measured(url, name) == len(studies.open(url).ledger(f"{PREFIX}{name}"))
    with pytest.raises(NotFound, match="no measured study 'nothing'"):
        import_measured(url, "measured:nothing")


@pytest.fixture
def own_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studies:
    """A made-up study in place of those that come with hnet, and the database it is from."""
    engine = connect(str(tmp_path / "source.db"), create=True)
    sample_study(engine, 6)
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured" / "made-up.json").write_text(Studies(engine).study_file("sample-tradeoff"))
    monkeypatch.setattr(
        "reports.data.measured_studies.files", lambda package: tmp_path if package == "reports" else files(package)
    )
    return Studies(engine)


@pytest.mark.slow
def test_a_small_study_is_shown_whole_and_a_large_one_with_its_front(
    own_measured: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = measured_markdown()
    assert "| `measured:made-up` | 5 | 3 |" in text
    (shown,) = [part for part in text.split("### ") if part.startswith("Configurations of measured:made-up")]
    assert shown.count("\n| ") - 1 == 5
    assert with_measurements(f"# Head\n{MARKER}\nold") == f"# Head\n{MARKER}\n\n{text}"
    monkeypatch.setattr("reports.pages.benchmarks_document.MAX_CONFIGURATIONS", 2)
    (front,) = [part for part in measured_markdown().split("### ") if part.startswith("Front of measured:made-up")]
    assert front.count("\n| ") - 1 == len(own_measured.front("sample-tradeoff"))


def test_a_measured_study_is_copied_when_a_report_names_it(own_measured: Studies, tmp_path: Path) -> None:
    url = str(tmp_path / "own.db")
    names = ["mine", "measured:made-up:2", "measured:made-up"]
    assert import_missing(url, names) == ["measured:made-up"]
    assert import_missing(url, names) == []
    assert studies.open(url).names() == ["measured:made-up"]
    assert import_missing(str(tmp_path / "none.db"), ["mine"]) == []
    assert not (tmp_path / "none.db").exists()

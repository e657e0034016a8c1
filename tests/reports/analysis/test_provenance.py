"""The provenance in a report is complete and holds no password."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reports.analysis.provenance import paper_check, provenance
from studies.database.urls import mask_passwords
from tests.reports.cases import SPEC, make_record, make_study_data, make_trial
from tests.studies.sample import PROVENANCE


def with_launches(*launches: dict[str, Any]) -> Any:
    data = make_study_data([make_trial(0, 0.5, 0.9, 0.9)])
    return provenance(replace(data, record=make_record(SPEC, launches)))


def paper(**settings: Any) -> dict[str, Any]:
    return {**SPEC, "paper": {"cite": "von Oswald et al. (2020)", "settings": settings}}


def test_a_setting_below_the_papers_is_reduced() -> None:
    found = paper_check(paper(**{"training.iterations": 2000.0, "seeds": 20.0, "training.batch_size": 32.0}))
    assert found.reduced == ("training.iterations 300 instead of 2000", "seeds 3 instead of 20")
    assert found.differing == ()


def test_a_searched_setting_counts_at_its_lowest_value() -> None:
    found = paper_check(paper(**{"hypernet.chunk_size": 100}))
    assert found.reduced == ("hypernet.chunk_size 50 instead of 100",)


def test_what_is_larger_or_other_or_absent_differs_without_being_reduced() -> None:
    found = paper_check(paper(**{"training.batch_size": 16, "stream.dataset": "mnist", "training.epochs": 5}))
    assert found.reduced == ()
    assert found.differing == (
        "training.batch_size 32, the paper has 16",
        "stream.dataset digits, the paper has mnist",
        "training.epochs is not set, the paper has 5",
    )


def test_a_spec_without_a_paper_is_not_compared() -> None:
    assert paper_check(SPEC) == paper_check({**SPEC, "paper": None})
    assert paper_check(SPEC).cite is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("hnet sweep run x --db postgresql://me:s3cret@host/db", "hnet sweep run x --db postgresql://me:***@host/db"),
        ("postgresql+psycopg://me:p@ss:w@host/db", "postgresql+psycopg://me:***@host/db"),
        ("sqlite:///hnet.db and http://host:80/x", "sqlite:///hnet.db and http://host:80/x"),
    ],
)
def test_passwords_of_urls_are_hidden(text: str, masked: str) -> None:
    assert mask_passwords(text) == masked


def test_the_command_line_of_a_launch_shows_no_password() -> None:
    launch = {**PROVENANCE, "command_line": "hnet sweep run x --db postgresql://me:s3cret@host/db"}
    assert "s3cret" not in repr(with_launches(launch))


def test_uncommitted_changes_are_shown() -> None:
    found = with_launches({**PROVENANCE, "git_dirty": True})
    assert found.launches[0]["Code"].endswith("with uncommitted changes")
    assert with_launches({**PROVENANCE, "git_commit": None}).launches[0]["Code"] == "no git commit recorded"


def test_launches_that_differ_are_named() -> None:
    found = with_launches(PROVENANCE, {**PROVENANCE, "host": "other", "packages": {"torch": "1"}})
    assert found.changed == ["Host", "Packages"]
    assert with_launches(PROVENANCE, PROVENANCE).changed == []


def test_formulas_are_given_for_exactly_what_was_measured() -> None:
    labels = [label for label, _ in with_launches(PROVENANCE).formulas]
    assert labels == ["Final accuracy", "During accuracy", "Final accuracy (validation)", "Compression ratio"]

"""Ranks and critical differences are those of the literature."""

from __future__ import annotations

import pytest

from reports.analysis.ranks import average_ranks, rank_rows
from reports.figures.ranks import ranks_figure

# Demsar (2006), Table 6: AUC of C4.5 with variants on 14 data sets; average ranks 3.143, 2.000, 2.893, 1.964.
DEMSAR = [
    (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
    (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
    (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
    (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
    (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
]  # fmt: skip
LABELS = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")


def demsar() -> dict[str, dict[str, float]]:
    return {label: {f"d{i}": row[j] for i, row in enumerate(DEMSAR)} for j, label in enumerate(LABELS)}


def test_ranks_and_critical_difference_are_those_of_demsar() -> None:
    found = average_ranks(demsar(), higher_is_better=True)
    assert found is not None
    assert dict(found.ranks) == {
        "C4.5": pytest.approx(3.143, abs=5e-4), "C4.5+m": pytest.approx(2.000, abs=5e-4),
        "C4.5+cf": pytest.approx(2.893, abs=5e-4), "C4.5+m+cf": pytest.approx(1.964, abs=5e-4),
    }  # fmt: skip
    assert found.critical_difference == pytest.approx(1.25, abs=0.01)
    assert found.p < 0.05
    assert len(rank_rows(found)) == 4


def test_those_that_do_not_differ_significantly_are_joined() -> None:
    found = average_ranks(demsar(), higher_is_better=True)
    assert found is not None
    assert [(round(low, 2), round(high, 2)) for low, high in found.cliques] == [(1.96, 3.14)]
    assert "Over 14 streams" in str(ranks_figure(found))


def test_too_few_streams_have_no_ranks() -> None:
    few = {label: dict(list(scores.items())[:4]) for label, scores in demsar().items()}
    assert average_ranks(few, True) is None


def test_only_streams_that_all_have_count() -> None:
    scores = demsar()
    del scores["C4.5"]["d0"]
    found = average_ranks(scores, True)
    assert found is not None
    assert found.n_streams == 13


def test_the_order_turns_where_lower_is_better() -> None:
    found = average_ranks(demsar(), higher_is_better=False)
    assert found is not None
    assert found.ranks[0][0] == "C4.5"

from __future__ import annotations

from perf.replay import ENGINES, PARTS, measure


def test_every_part_is_measured_with_both_engines() -> None:
    rows = list(measure(task=3, rounds=1))
    assert [(row.part, row.engine) for row in rows] == [(part, engine) for part in PARTS for engine in ENGINES]
    assert all(row.ms > 0 for row in rows)
    assert [row.ratio for row in rows if row.engine == "plain"] == [1.0, 1.0, 1.0]

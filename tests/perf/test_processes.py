"""Two workers against one: the figures computed from the rounds, each of which counts once."""

from __future__ import annotations

import pytest

from perf import processes
from perf.processes import Turn
from perf.settings import StepSetting
from tests.hnet_core.tiny import TINY


def test_ratios_are_of_neighbouring_turns_and_the_processor_time_tells_what_sharing_costs() -> None:
    alone = [Turn(0.1, 9.0), Turn(0.2, 9.0), Turn(0.1, 9.0)]
    together = [Turn(0.19, 9.5), Turn(0.36, 9.0), Turn(0.2, 9.5)]
    row = processes._row("split_mnist", StepSetting(TINY, (1,), 1).trial("fast"), 2, alone, together)
    assert row.ratio == pytest.approx(1.9) and row.ratio_low == pytest.approx(1.85)
    assert row.ratio_high == pytest.approx(1.95)
    assert row.cpu_ratio == pytest.approx(2 * 9.0 / 9.5)
    assert (row.engine, row.iterations, row.processes, row.rounds) == ("fast", 8, 2, 3)


@pytest.mark.slow
def test_workers_stay_and_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STEPS", {"split_mnist": StepSetting(TINY, (1,), 1)})
    one, two = processes.measure("split_mnist", "fast", iterations=2, processes=2, rounds=2, data=None)
    assert (one.processes, one.ratio, one.cpu_ratio) == (1, 1.0, 1.0)
    assert two.processes == 2 and two.rounds == 2
    assert two.ratio > 0 and two.trials_per_second > 0 and two.cpu_seconds > 0

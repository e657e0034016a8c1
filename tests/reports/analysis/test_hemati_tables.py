"""The preset of partial hypernetworks trains exactly the configurations of its published cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hnet_core.build import networks, stream_shape
from hnet_core.trial import TrialConfig
from reports.analysis.measuring_trials import MEBIBYTE, Match, match
from reports.analysis.reproduction import judge_cell
from reports.analysis.similar_trials import FinishedTrial, settings_of
from reports.data.published_cells import PublishedCell
from reports.data.published_tables import published_table
from studies.spec.loading import load_spec
from sweeps.presets import open_document

ROWS = {
    ("naive", None): "Naive", ("ewc", None): "EWC", ("hn", 0): "HN-F",
    **{(family, depth): f"{family.upper()}-{depth}" for family in ("hn", "lr") for depth in range(1, 5)},
}  # fmt: skip


def cells(table: str, *columns: str) -> dict[str, PublishedCell]:
    return {cell.row: cell for cell in published_table(f"hemati2023:{table}").cells if cell.column in columns}


def configs(source: str) -> dict[tuple[str, Any], TrialConfig]:
    """By family and depth, every point of the preset's grid."""
    spec = load_spec(open_document(source), Path("unused"))
    points = spec.space.grid() or []
    return {(point["family"], point.get("method.freeze_depth")): spec.config(point) for point in points}


def fits(config: TrialConfig, cell: PublishedCell) -> Match:
    (way,) = cell.measured_by
    return match(way, FinishedTrial("s", 0, settings_of(config.model_dump(mode="json")), n_seeds=1))


def test_every_row_of_table_2_is_one_trial_of_the_preset() -> None:
    wanted = cells("table2", "CIFAR-100 ACA")
    assert set(wanted) == set(ROWS.values())
    for point, config in configs("partial_hnet_cifar100").items():
        found = {row: fits(config, cell) for row, cell in wanted.items()}
        assert [row for row, one in found.items() if not one.wrong] == ([ROWS[point]] if point in ROWS else [])
        assert all(not one.reduced for one in found.values() if not one.wrong)


def test_the_reduced_preset_is_labelled_reduced() -> None:
    for point, config in configs("partial_hnet_cifar100:reduced").items():
        if point in ROWS:
            found = fits(config, cells("table2", "CIFAR-100 ACA")[ROWS[point]])
            assert found.wrong == ()
            reduced = [text.split(" instead")[0] for text in found.reduced]
            assert sorted(reduced) == ["stream.n_tasks 5", "training.epochs 10"]


@pytest.mark.parametrize("source", ["partial_hnet_cifar100", "partial_hnet_cifar100:reduced"])
def test_the_memory_of_the_replay_buffer_is_that_of_table_6_to_the_last_digit(source: str) -> None:
    by_rate = {point: config for point, config in configs(source).items() if point[0] == "lr"}
    assert len(by_rate) == 5
    for (_, depth), config in by_rate.items():
        cell = cells("table6", "memory")[f"CIFAR-100 LR-{depth}"]
        found = fits(config, cell)
        assert (found.wrong, found.reduced) == ((), ())
        memory = networks(config, stream_shape(config)).counts.memory_bytes / MEBIBYTE
        verdict, _, difference = judge_cell(cell, [memory], "memory_bytes")
        assert verdict == "agrees"
        assert difference is not None
        assert difference.half_width == pytest.approx(0.005)
        assert judge_cell(cell, [memory + 0.011], "memory_bytes")[0] == "differs"


@pytest.mark.parametrize("size", [4, 8, 16, 32, 64])
def test_the_weights_of_table_3_are_those_of_its_configuration(size: int) -> None:
    config = configs("partial_hnet_cifar100")["hn", 0].model_dump(mode="json")
    config["stream"] |= {"n_tasks": 10, "classes_per_task": 10}
    config["hypernet"] |= {"channel_embedding": size}
    parsed = TrialConfig.model_validate(config)
    cell = cells("table3", "parameters")[f"d={size}"]
    assert fits(parsed, cell).wrong == ()
    weights = networks(parsed, stream_shape(parsed)).counts.hypernet
    assert judge_cell(cell, [weights], "hypernet_weights")[0] == "agrees"

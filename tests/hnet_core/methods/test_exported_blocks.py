"""Blocks that start as those of an exported model: their weights, their place in the configuration, and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core import trained_model
from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import check_trial, parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.options import ADDED_LATER
from hnet_core.registry import METHODS
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from tests.hnet_core.tiny import tiny

TARGET = {"name": "mlp", "hidden": [12, 7]}
TRAINING = {"iterations": 5}


def exported(path: Path, **changes: Any) -> dict[str, Any]:
    """Train and export a model, and return the checkpoint it was written from."""
    config = tiny(**{"method": {"name": "finetune"}, "target": TARGET, "training": TRAINING, **changes})
    run = TrialRun(config, seed=1)
    while not run.finished:
        report = run.train_task()
    trained_model.save(path, config, run._shape, report.checkpoint)
    return report.checkpoint


def started(path: Path, method: str = "partial_hnet", depth: int = 1, **changes: Any) -> TrialConfig:
    options = {"name": method, "freeze_depth": depth, "start_from": str(path)}
    return tiny(**{"method": options, "target": TARGET, "training": TRAINING, **changes})


def front_of(run: TrialRun) -> Tensor:
    flat: Tensor = run._method.frozen.flat  # type: ignore[attr-defined]
    return flat.detach()


def test_a_partial_hypernetwork_keeps_the_exported_blocks_from_the_first_task_on(tmp_path: Path) -> None:
    whole = exported(tmp_path / "model.pt")["method"]["flat"]
    run = TrialRun(started(tmp_path / "model.pt"), seed=5)
    n_front = 64 * 12 + 12
    for _ in range(2):
        run.train_task()
        assert torch.equal(front_of(run), whole[:n_front])


def test_latent_replay_starts_all_blocks_and_freezes_the_first_ones_after_task_1(tmp_path: Path) -> None:
    whole = exported(tmp_path / "model.pt")["method"]["flat"]
    run = TrialRun(started(tmp_path / "model.pt", "latent_replay"), seed=5)
    n_front, n_back = 64 * 12 + 12, 12 * 7 + 7
    fresh = TrialRun(tiny(method={"name": "latent_replay", "freeze_depth": 1}, target=TARGET), seed=5)
    back, own = (one._method.source.flat.detach() for one in (run, fresh))  # type: ignore[attr-defined]
    assert torch.equal(front_of(run), whole[:n_front])
    assert torch.equal(back[:n_back], whole[n_front : n_front + n_back])
    assert torch.equal(back[n_back:], own[n_back:]), "the last layer is drawn by the run"
    run.train_task()
    learnt = front_of(run).clone()
    assert not torch.equal(learnt, whole[:n_front])
    run.train_task()
    assert torch.equal(front_of(run), learnt)


def test_running_statistics_are_taken_with_the_blocks(tmp_path: Path) -> None:
    images = {"name": "split", "dataset": "digits", "n_tasks": 2}
    network = {"name": "slim_resnet18", "n_filters": 2, "normalization": "running"}
    images |= {"name": "cross_dataset", "first": "digits", "second": "digits", "image_size": 16, "classes_per_task": 2}
    del images["dataset"], images["n_tasks"]
    images["normalization"] = "none"
    kept = exported(tmp_path / "model.pt", stream=images, target=network, training={"iterations": 2})["statistics"]
    run = TrialRun(started(tmp_path / "model.pt", "latent_replay", 2, stream=images, target=network), seed=0)
    parts = run._method.frozen.part.statistics, run._method.problem.statistics  # type: ignore[attr-defined]
    found = torch.cat([part.state()[0] for part in parts])
    assert torch.equal(found, kept[0]) and not torch.equal(
        found, TrialRun(run._config, 0)._problem.statistics.state()[0]
    )
    without = {**network, "normalization": "batch"}
    exported(tmp_path / "bare.pt", stream=images, target=without, training={"iterations": 1})
    with pytest.raises(ConfigInvalid, match="must keep running statistics"):
        TrialRun(started(tmp_path / "bare.pt", "latent_replay", 2, stream=images, target=network), seed=0)


def test_the_hash_depends_on_the_weights_and_not_on_the_path(tmp_path: Path) -> None:
    checkpoint = exported(tmp_path / "model.pt")
    shutil.copy(tmp_path / "model.pt", tmp_path / "copy.pt")
    trained_model.save(tmp_path / "again.pt", *_saved(tmp_path / "model.pt"), checkpoint)
    exported(tmp_path / "other.pt", training={"iterations": 6})
    hashes = [started(tmp_path / f"{name}.pt").hash() for name in ("model", "copy", "again", "other")]
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]
    plain = tiny(method={"name": "partial_hnet", "freeze_depth": 1}, target=TARGET, training=TRAINING)
    assert plain.hash() not in hashes
    assert not {"start_from", "start_checksum"} & plain.model_dump()["method"].keys()


def _saved(path: Path) -> tuple[TrialConfig, Any]:
    model = trained_model.load(path)
    return model.config, model.shape


def test_a_stored_configuration_outlives_the_file_and_a_model_made_with_it_is_read_back(tmp_path: Path) -> None:
    exported(tmp_path / "model.pt")
    config = started(tmp_path / "model.pt")
    run = TrialRun(config, seed=0)
    while not run.finished:
        report = run.train_task()
    trained_model.save(tmp_path / "second.pt", config, run._shape, report.checkpoint)
    (tmp_path / "model.pt").unlink()
    again = parse_trial(config.model_dump(mode="json"))
    assert (again, again.hash()) == (config, config.hash())
    assert networks(again, stream_shape(again)).counts == networks(config, stream_shape(config)).counts
    assert trained_model.load(tmp_path / "second.pt").predict(0, torch.rand(3, 64)).shape == (3, 2)


def test_another_model_under_the_path_is_refused_when_training_begins(tmp_path: Path) -> None:
    exported(tmp_path / "model.pt")
    config = started(tmp_path / "model.pt")
    exported(tmp_path / "model.pt", training={"iterations": 6})
    with pytest.raises(ConfigInvalid, match=r"must have checksum \w{16}, got \w{16}: it is another model now"):
        TrialRun(config, seed=0)


@pytest.mark.parametrize("method", ["partial_hnet", "latent_replay"])
def test_a_file_that_is_absent_or_no_model_is_an_error_at_its_key(method: str, tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no model")
    for name, says in (("absent.pt", "no such file"), ("text.pt", "must be a model of hnet trial export")):
        raw = tiny(method={"name": method}).model_dump()
        raw["method"]["start_from"] = str(tmp_path / name)
        config, complaints = check_trial(raw)
        assert config is None and says in str(complaints[0]) and complaints[0].path[0] == "method"


def test_blocks_of_other_shapes_are_refused_before_training(tmp_path: Path) -> None:
    exported(tmp_path / "model.pt")
    config = started(tmp_path / "model.pt", target={"name": "mlp", "hidden": [13, 7]})
    with pytest.raises(ConfigInvalid, match="cannot take 1 blocks with 845 weights"):
        networks(config, stream_shape(config))


def test_only_weights_that_are_trained_are_counted_as_trained(tmp_path: Path) -> None:
    exported(tmp_path / "model.pt")
    config = started(tmp_path / "model.pt")
    counts = networks(config, stream_shape(config)).counts
    assert counts.trained == counts.hypernet < counts.model


def test_options_of_earlier_versions_are_written_and_later_ones_only_where_set() -> None:
    options = METHODS["latent_replay"].Options(name="latent_replay")
    extras = {key: field.json_schema_extra for key, field in type(options).model_fields.items()}
    later = {key for key, extra in extras.items() if isinstance(extra, dict) and extra.items() >= ADDED_LATER.items()}
    assert later == {"start_from", "start_checksum", "replay_order"}
    assert not later & options.model_dump().keys()
    assert options.model_copy(update={"replay_order": "passes"}).model_dump()["replay_order"] == "passes"

"""Configurations: refused values with their messages, and the hash that identifies a configuration."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from hnet_core.config_validation import check_trial, explain, parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import METHODS
from hnet_core.trial import TrialConfig
from tests.hnet_core.tiny import TINY, tiny


def changed(path: str, value: object) -> dict[str, Any]:
    content = copy.deepcopy(TINY)
    *blocks, last = path.split(".")
    block = content
    for key in blocks:
        block = block[key]
    block[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("method.name", "hnt", r"^method\.name: unknown method 'hnt'; did you mean 'hnet'\? known: "),
        ("method.beta_ouput", 1, r"^method\.beta_ouput: unknown key .* did you mean 'beta_output'\?"),
        ("method.beta_output", -1, r"^method\.beta_output: must be greater than or equal to 0, got -1"),
        ("method.beta_output", float("nan"), r"^method\.beta_output: must be .*, got nan"),
        ("training.lr", float("inf"), r"^training\.lr: must be a finite number, got inf"),
        ("training.iterations", 0, r"^training\.iterations: must be greater than or equal to 1, got 0"),
        ("training.iterations", "many", r"^training\.iterations: must be a whole number"),
        ("stream", "split", r"^stream: must be a block with a name, got 'split'"),
        ("target", {"hidden": [3]}, r"^target: must have a name; known: mlp"),
        ("hypernet", None, r"method 'hnet' needs a hypernet block"),
        ("hypernet.activation", "gelu", r"^hypernet\.activation: must be 'relu'"),
        ("targets", {}, r"^targets: unknown key 'targets'; did you mean 'target'\?"),
        ("target.hidden", [10, 0], r"^target\.hidden\.1: must be greater than 0"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_was_expected(path: str, value: object, says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        parse_trial(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("method.name", "hnt"),
        ("method.beta_output", -1),
        ("method.beta_ouput", 1),
        ("stream", "split"),
        ("target", {"hidden": [3]}),
        ("hypernet.name", "chunkd"),
        ("hypernet.chunk_size", 0),
        ("task_inference", {"name": "entropi"}),
    ],
)
def test_the_class_itself_refuses_a_component_in_the_same_words(path: str, value: object) -> None:
    content = changed(path, value)
    _, (complaint,) = check_trial(content)
    with pytest.raises(ValidationError) as refused:
        TrialConfig.model_validate(content)
    assert complaint.message in str(refused.value)


def test_everything_wrong_is_reported_at_once() -> None:
    content = changed("method.name", "hnt")
    content["training"]["lr"] = -1
    content["target"]["hiden"] = [1]
    _, complaints = check_trial(content)
    assert [complaint.path for complaint in complaints] == [
        ("method", "name"), ("target", "hiden"), ("training", "lr"),
    ]  # fmt: skip


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        tiny().training = None  # type: ignore[assignment,misc]


def test_the_hash_ignores_key_order_defaults_and_what_changes_only_the_speed() -> None:
    reordered = dict(reversed(list(TINY.items())))
    spelled_out = changed("method.lookahead", "adam")
    assert parse_trial(reordered).hash() == parse_trial(spelled_out).hash() == tiny().hash()
    assert tiny(training={"device": "cpu", "threads": 2, "engine": "plain"}).hash() == tiny().hash()


@pytest.mark.parametrize(
    ("block", "content"),
    [
        ("method", {"name": "ewc", "labels": "predicted"}),
        ("method", {"lookahead_gradient": "differentiated"}),
        ("target", {"dropout_hidden": 0.5}),
        ("training", {"reset_optimizer": False}),
        ("task_inference", {"name": "entropy"}),
    ],
    ids=str,
)
def test_what_was_added_later_is_written_only_where_it_differs_from_its_default(
    block: str, content: dict[str, Any]
) -> None:
    name = {"name": content["name"]} if "name" in content and block == "method" else {}
    without, differs = tiny(**{block: name or {}} if block != "task_inference" else {}), tiny(**{block: content})
    key = next(key for key in content if key != "name") if block != "task_inference" else block
    written, absent = differs.model_dump(mode="json"), without.model_dump(mode="json")
    if block != "task_inference":
        written, absent = written[block], absent[block]
    assert key in written and key not in absent
    assert differs.hash() != without.hash()
    assert parse_trial(differs.model_dump(mode="json")) == differs
    assert parse_trial(without.model_dump(mode="json")) == without


def test_the_hash_tells_every_other_difference() -> None:
    variants = [
        tiny(),
        tiny(method={"beta_output": 0.02}),
        tiny(training={"iterations": 9}),
        tiny(stream={"n_tasks": 2}),
        tiny(target={"activation": "elu"}),
        tiny(hypernet={"chunk_size": 101}),
        tiny(method={"name": "scratch"}),
    ]
    assert len({config.hash() for config in variants}) == len(variants)


def test_a_hypernet_block_is_dropped_where_no_hypernetwork_is_trained() -> None:
    assert tiny(method={"name": "scratch"}).hypernet is None
    with_block = tiny(method={"name": "joint"})
    without = {key: value for key, value in TINY.items() if key != "hypernet"}
    assert with_block.hash() == parse_trial({**without, "method": {"name": "joint"}}).hash()


def test_a_configuration_survives_json() -> None:
    config = tiny()
    assert parse_trial(config.model_dump(mode="json")) == config


def test_reading_a_configuration_class_does_not_import_torch() -> None:
    code = "import sys, hnet_core.trial; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_name_of_another_paper_is_the_same_configuration() -> None:
    assert tiny(method={"name": "naive"}).hash() == tiny(method={"name": "finetune"}).hash()
    assert tiny(method={"name": "multitask"}).method.name == "joint"
    assert "naive" not in list(METHODS)


@pytest.mark.parametrize(
    "raw",
    [
        {**TINY, "target": {"name": "mlp", "hidden": "wide"}},
        {**TINY, "stream": 3},
        {**TINY, "hypernet": None},
        {**TINY, "method": {"nmae": "hnet"}},
        {**TINY, "training": {"lr": "fast", "stack_seeds": "yes"}},
    ],
)
def test_a_complaint_is_in_our_words_whoever_checked_the_block(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as error:
        TrialConfig.model_validate(raw)
    for complaint in [*explain(error.value, TrialConfig), *check_trial(raw)[1]]:
        assert "Value error" not in str(complaint) and "validation error" not in str(complaint)
        assert "\n" not in str(complaint)

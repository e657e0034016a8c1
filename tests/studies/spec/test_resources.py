"""The `resources` block of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hnet_core.errors import ConfigInvalid
from studies.spec.continuation import fixed_part
from studies.spec.document import Document
from studies.spec.loading import load_spec
from studies.spec.resources import Request, Resources, memory_in_bytes
from studies.spec.spec import SweepSpec
from tests.sweeps.tiny import SPEC, tiny_spec

FAMILIES = {"hnet": {"method": {"name": "hnet"}}, "joint": {"method": {"name": "joint"}}}
OF_FAMILIES = {"families": FAMILIES, "search": {"training.lr": {"float": [0.001, 0.1]}}}


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("8 GiB", 8 * 2**30), ("8GiB", 8 * 2**30), ("1.5 MB", 1_500_000), ("100 B", 100)]
)
def test_memory_is_a_size_with_a_unit(text: str, n_bytes: int) -> None:
    assert memory_in_bytes(text) == n_bytes


@pytest.mark.parametrize("value", [8, "8", "8 gib", "-1 GiB", "0 GiB", "GiB", "8 GiB of it", True])
def test_anything_else_is_no_memory(value: object) -> None:
    with pytest.raises(ValidationError, match=r"must be a size with a unit, such as 8 GiB"):
        Resources.model_validate({"memory": value})


@pytest.mark.parametrize("wrong", [{"cpus": 0}, {"cpus": 1.5}, {"gpus": 2}, {"gpus": -0.5}, {"disk": 3}])
def test_shares_beyond_one_gpu_and_unknown_keys_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Resources.model_validate(wrong)


def test_without_the_block_a_trial_takes_a_cpu_for_each_thread_and_its_share_of_the_gpus() -> None:
    spec = tiny_spec()
    assert spec.requests() == [Request(cpus=1, gpus=None)]
    threaded = tiny_spec(trial={**SPEC["trial"], "training": {"iterations": 3, "threads": 4, "device": "cpu"}})
    assert threaded.requests() == [Request(cpus=4, gpus=0.0)]
    assert "resources" not in spec.to_dict()


@pytest.mark.parametrize(
    ("device", "gpus", "request_"),
    [
        ("auto", None, Request(gpus=None)),
        ("cuda", None, Request(gpus=None, needs_gpu=True)),
        ("cuda", 0.5, Request(gpus=0.5, needs_gpu=True)),
        ("cuda:1", None, Request(gpus=0.0, needs_gpu=True)),
        ("cpu", None, Request(gpus=0.0)),
        ("auto", 0, Request(gpus=0.0)),
    ],
)
def test_a_gpu_is_asked_for_by_trainings_that_may_use_one(device: str, gpus: float | None, request_: Request) -> None:
    resources = {} if gpus is None else {"gpus": gpus}
    spec = tiny_spec(trial={**SPEC["trial"], "training": {"iterations": 3, "device": device}}, resources=resources)
    assert spec.requests() == [request_]


def test_threads_follow_the_cpus_unless_the_spec_sets_them() -> None:
    assert tiny_spec(resources={"cpus": 3}).config().training.threads == 3
    trial = {**SPEC["trial"], "training": {"iterations": 3, "threads": 2}}
    spec = tiny_spec(trial=trial, resources={"cpus": 3})
    assert (spec.config().training.threads, spec.requests()[0].cpus) == (2, 3)


def test_a_share_of_zero_keeps_the_training_from_the_gpu() -> None:
    assert tiny_spec(resources={"gpus": 0}).config().training.device == "cpu"
    assert tiny_spec(resources={"gpus": 0.5}).config().training.device == "auto"


def test_resources_do_not_enter_the_identity_of_a_configuration() -> None:
    plain, asked = tiny_spec().config(), tiny_spec(resources={"cpus": 4, "gpus": 0, "memory": "1 GiB"}).config()
    assert plain.hash() == asked.hash()


def test_a_family_has_what_it_sets_and_the_rest_of_all() -> None:
    resources = {"cpus": 2, "memory": "2 GiB", "families": {"joint": {"cpus": 4}}}
    spec = tiny_spec(**OF_FAMILIES, resources=resources)
    assert spec.requests() == [
        Request(cpus=2, gpus=None, memory=2 * 2**30),
        Request(cpus=4, gpus=None, memory=2 * 2**30),
    ]
    assert spec.config({"family": "joint", "training.lr": 0.01}).training.threads == 4


def test_resources_may_change_when_a_study_continues_and_are_read_back() -> None:
    spec = tiny_spec(resources={"cpus": 2, "memory": "1 GiB"})
    assert SweepSpec.model_validate(spec.to_dict()) == spec
    assert fixed_part(spec.to_dict()) == fixed_part(tiny_spec().to_dict())


def load(**changes: Any) -> SweepSpec:
    return load_spec(Document("spec", {**SPEC, **changes}, text=""), Path("unused"))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"resources": {"families": {"hnt": {"cpus": 2}}}}, "resources.families.hnt: unknown family; the spec has no"),
        ({**OF_FAMILIES, "resources": {"families": {"hnt": {}}}}, "families.hnt: unknown family; did you mean 'hnet'"),
        (
            {"trial": {**SPEC["trial"], "training": {"iterations": 3, "device": "cpu"}}, "resources": {"gpus": 0.5}},
            "resources.gpus: must be 0 or left out with training.device cpu",
        ),
        ({"resources": {"memory": "much"}}, "resources.memory: must be a size with a unit, such as 8 GiB"),
    ],
)
def test_resources_that_make_no_sense_are_complaints_with_their_key(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigInvalid, match=complaint.replace("(", r"\(")):
        load(**changes)

"""Presets: every one and every variant passes the check of a sweep, and says what it cuts."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from studies.spec.deviations import reductions
from studies.spec.loading import load_spec
from studies.spec.spec import SweepSpec
from sweeps.presets import open_document, preset_names, preset_summary, preset_variants

ALL = [f"{name}{variant}" for name in preset_names() for variant in ("", *(f":{one}" for one in preset_variants(name)))]


@functools.cache
def checked(name: str) -> SweepSpec:
    return load_spec(open_document(name), Path("no data is needed"))


@pytest.mark.parametrize("name", ALL)
def test_a_preset_and_its_variants_pass_the_check_without_any_data(name: str) -> None:
    spec = checked(name)
    assert spec.study == name.replace(":", "_")
    assert spec.planned_trials, "an end that does not depend on time"
    assert len(preset_summary(name.partition(":")[0])) > 20


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_the_full_experiment_and_its_reduced_and_smoke_variants_say_what_they_cut(name: str) -> None:
    assert {"reduced", "smoke"} <= set(preset_variants(name))
    full, *cut = (checked(f"{name}{ending}") for ending in ("", ":reduced", ":smoke"))
    if full.paper is not None:
        assert all(reductions(spec) for spec in cut), "the paper's settings must name what the variant cuts"
        document = open_document(name)
        comment = " ".join(line.lstrip("# ") for line in document.text.splitlines() if line.startswith("#"))
        assert "`reduced`" in comment, "and so must the comment at the top"
    for spec in cut:
        assert spec.seeds <= full.seeds
        assert (spec.planned_trials or 0) <= (full.planned_trials or 0)


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_whose_images_were_not_at_hand_says_so(name: str) -> None:
    text = open_document(name).text
    assert any(word in text for word in ("svhn", "gtsrb", "tiny_imagenet")) == ("Not run here" in text)

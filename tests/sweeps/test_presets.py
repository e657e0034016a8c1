"""Presets: every one and every variant passes the check of a sweep, and says what it cuts."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from hnet_core.config_validation import parse_trial
from reports.analysis.measuring_trials import match
from reports.analysis.similar_trials import FinishedTrial, settings_of
from reports.data.published_cells import MeasuredBy
from reports.data.published_tables import published_tables
from studies.spec.deviations import reductions
from studies.spec.loading import load_spec
from studies.spec.spec import SweepSpec
from sweeps.presets import open_document, preset_names, preset_summary, preset_variants

ALL = [f"{name}{variant}" for name in preset_names() for variant in ("", *(f":{one}" for one in preset_variants(name)))]


@functools.cache
def checked(name: str) -> SweepSpec:
    return load_spec(open_document(name), Path("no data is needed"))


# Presets whose configurations measure cells of a published table, with the families that the tables do not have.
OF_TABLES: dict[str, tuple[str, ...]] = {
    "split_mnist_dgr": (),
    "split_mnist_entropy": (),
    "split_mnist_ewc:scenarios": (),
    "split_mnist_hnet_replay": (),
    "split_mnist_real_replay": (),
    "split_mnist_si:scenarios": (),
    "split_mnist_tir": (),
    "permuted_mnist_100": ("hnet_of_cl2", "hnet_finetuning", "finetuning", "ewc", "si"),
    "permuted_mnist_baselines": (),
    "permuted_mnist_hat": (),
    "permuted_mnist_replay": (),
    "permuted_mnist_sizes": (),
    "permuted_mnist_small": (),
    "permuted_mnist_unknown_task": (),
    "partial_hnet_cifar100": (),
    "partial_hnet_tiny_imagenet": ("lr",),  # at depth 0, which the table leaves out
    "split_cifar_resnet32": ("finetuning", "scratch"),
    "split_cifar_zenkenet": ("finetuning", "scratch"),
}


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
    assert full.paper is not None, "the experiment in full, by which its variants are labelled reduced"
    assert all(reductions(spec) for spec in cut), "its settings must name what the variant cuts"
    comment = " ".join(line.lstrip("# ") for line in open_document(name).text.splitlines() if line.startswith("#"))
    assert "`reduced`" in comment, "and so must the comment at the top"
    for spec in cut:
        assert spec.seeds <= full.seeds
        assert (spec.planned_trials or 0) <= (full.planned_trials or 0)


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_whose_images_were_not_at_hand_says_so(name: str) -> None:
    text = open_document(name).text
    assert any(word in text for word in ("svhn", "gtsrb", "tiny_imagenet")) == ("Not run here" in text)


@functools.cache
def ways_to_measure() -> list[MeasuredBy]:
    cells = [cell for table in published_tables() for cell in table.cells]
    return list({way.configuration.name: way for cell in cells for way in cell.measured_by}.values())


@pytest.mark.parametrize("name", OF_TABLES)
def test_every_family_of_a_preset_measures_a_published_cell_in_full(name: str) -> None:
    space = checked(name).space
    found: dict[str, bool] = {}
    for params in space.branches():
        config = parse_trial(space.place(params)).model_dump(mode="json")
        matches = [match(way, FinishedTrial(name, 0, settings_of(config), 1)) for way in ways_to_measure()]
        found[params["family"]] = any(not one.wrong and not one.reduced for one in matches)
    assert {family for family, measures in found.items() if not measures} == set(OF_TABLES[name])


def test_the_page_of_presets_names_every_preset_and_marks_those_of_tables() -> None:
    text = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    assert set(re.findall(r"`(\w+)`", rows)) >= set(preset_names())
    starred = {name for name in preset_names() if re.search(rf"`{name}`[^|`]*(?:`scenarios` )?\*", rows)}
    assert starred | {"split_mnist_ewc"} == {name.partition(":")[0] for name in OF_TABLES}

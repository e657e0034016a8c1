"""Trials compared all at once differ from a published configuration as each of them does alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnet_core.dotted_keys import MISSING
from reports.analysis.similar_trials import Wanted, group_similar, settings_of

VALUES: dict[str, list[Any]] = {
    "iterations": [10, 20, 40],
    "lr": [0.1, 0.2, 1],
    "hidden": [[10, 10], [10], [10, 10, 10]],
    "beta": [0, 0.0, False, 0.5, None],
    "word": ["a", "b"],
}
CONFIGS = st.fixed_dictionaries(
    {"stream": st.fixed_dictionaries({"name": st.sampled_from(["split", "permuted"])})},
    optional={
        "training": st.fixed_dictionaries(
            {}, optional={"iterations": st.sampled_from(VALUES["iterations"]), "lr": st.sampled_from(VALUES["lr"])}
        ),
        "own": st.fixed_dictionaries(
            {}, optional={name: st.sampled_from(VALUES[name]) for name in ("hidden", "beta", "word")}
        ),
    },
)
WANTED = st.builds(
    lambda full, scaled, free: Wanted(settings_of(full), tuple(map(settings_of, scaled)), tuple(free)),
    CONFIGS, st.lists(CONFIGS, max_size=2), st.lists(st.sampled_from(["own", "training.lr", "own.beta"]), max_size=1),
)  # fmt: skip


@given(st.lists(CONFIGS, min_size=1, max_size=12), WANTED)
def test_counting_differences_at_once_is_comparing_each_setting_of_each_trial(
    configs: list[dict[str, Any]], wanted: Wanted
) -> None:
    groups = group_similar(("study", number, 1, config) for number, config in enumerate(configs))
    counted = {}
    for group in groups:
        wrong, reduced = (counts.tolist() for counts in group.count_differences(wanted))
        for place in range(len(group.ids)):
            trial = group.trial(place)
            assert trial.settings == settings_of(configs[trial.number])
            counted[trial.number] = (wrong[place], reduced[place])
    for number, config in enumerate(configs):
        settings = settings_of(config)
        kinds = [
            wanted.difference(name, settings.get(name, MISSING))
            for name in {*wanted.full, *settings}
            if not wanted.is_free(name)
        ]
        assert counted[number] == (kinds.count("wrong"), kinds.count("reduced"))


def test_a_training_shorter_than_at_the_smallest_scale_measures_nothing() -> None:
    full, reduced, smoke = ({"training.iterations": n, "stream.n_tasks": 5} for n in (2000, 500, 20))
    wanted = Wanted(full, (reduced, smoke))
    found = [wanted.difference("training.iterations", n) for n in (2000, 1000, 20, 19, 1, MISSING)]
    assert found == ["equal", "reduced", "reduced", "wrong", "wrong", "reduced"]
    assert wanted.difference("stream.n_tasks", 2) == "reduced"  # no scale has fewer


def test_configurations_of_one_search_are_one_group() -> None:
    configs = [{"stream": {"name": "split"}, "training": {"lr": 0.1 * number}} for number in range(5)]
    other = {"stream": {"name": "permuted"}, "training": {"lr": 0.1}}
    groups = group_similar(("study", number, 3, config) for number, config in enumerate([*configs, other]))
    assert [len(group.ids) for group in groups] == [5, 1]
    assert groups[0].first.settings["training.lr"] == pytest.approx(0.0)
    assert groups[1].trial(0).number == 5

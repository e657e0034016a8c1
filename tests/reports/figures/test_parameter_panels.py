"""Panels show every configuration once, on the scale that was searched."""

from __future__ import annotations

import re

import pytest

from reports.analysis.main_effects import main_effects
from reports.data.trial_arrays import Parameter
from reports.drawing.color_scale import color_edges, color_legend, color_of
from reports.drawing.scales import LinearScale, LogScale, OrdinalScale
from reports.figures.parameter_panels import FRAME, _scale, parameter_panels
from studies.metrics.cost_axes import COST_AXES
from tests.reports.cases import SPEC, make_study_data, make_trial


def test_each_configuration_has_one_dot_in_each_panel() -> None:
    trials = [make_trial(i, 0.05 * 1.3**i, 0.9, params={"a.x": 0.1 * i, "a.y": i % 2}) for i in range(12)]
    spec = {**SPEC, "search": {"a.x": {"float": [0, 2]}, "a.y": {"choice": [0, 1]}}}
    data = make_study_data(trials, front=[0], spec=spec, parameters=("a.x", "a.y"))
    figure = parameter_panels(data, {name: main_effects(data, name) for name in data.parameters})
    for _, drawing in figure.drawings:
        shown = re.findall(r'class="points shade-\d" data-trials="([^"]*)"', drawing)
        assert sorted(int(number) for group in shown for number in group.split()) == list(range(12))


def test_shades_split_the_ratios_into_equal_factors() -> None:
    edges = color_edges(COST_AXES["compression_ratio"], [0.01, 1.0])
    assert edges == pytest.approx([10 ** (-2 + 0.4 * (i + 1)) for i in range(5)])
    assert [color_of(ratio, edges) for ratio in (0.01, edges[0], edges[0] * 1.01, 0.5, 1.0, 1.01)] == [0, 0, 1, 4, 4, 4]
    assert color_legend(COST_AXES["compression_ratio"], [0.01, 1.0])[0] == "0.010–0.025"


def test_equal_ratios_share_one_shade() -> None:
    assert color_legend(COST_AXES["compression_ratio"], [0.5, 0.5]) == ["0.50"]
    assert color_of(0.5, color_edges(COST_AXES["compression_ratio"], [0.5, 0.5])) == 0


def test_a_parameter_that_never_changed_is_named_with_its_value_in_place_of_a_panel() -> None:
    trials = [make_trial(i, 0.5, 0.9, params={"a.x": 3}) for i in range(3)]
    spec = {**SPEC, "search": {"a.x": {"int": [3, 3]}}}
    figure = parameter_panels(make_study_data(trials, spec=spec, parameters=("a.x",)), {})
    assert figure.drawings == ()
    assert figure.finding == "0 parameters varied. Not varied: x 3."


@pytest.mark.parametrize(
    ("space", "values", "kind"),
    [
        ({"float": [0.001, 1.0], "log": True}, [0.01, 0.1], LogScale),
        ({"int": [1, 9]}, [2, 3], LinearScale),
        ({"choice": [8, 128]}, [8, 128, 8], OrdinalScale),
        ({"choice": [[10, 10], [20]]}, [[20]], OrdinalScale),
        ({"float": [0, 1], "log": True}, [0.0, 0.5], LinearScale),
    ],
)
def test_the_axis_is_the_one_that_was_searched(space: dict[str, object], values: list[object], kind: type) -> None:
    scale = _scale(space, Parameter(values))
    assert isinstance(scale, kind)
    assert scale.pixels == FRAME.x


def test_values_that_are_words_have_means_of_their_own_and_numbers_a_line_in_their_order() -> None:
    words = [{"a.x": word, "a.y": number} for word in ("b", "a", "c") for number in (70, 0, 30)]
    trials = [make_trial(i, 0.5, 0.5 + 0.01 * i, params=params) for i, params in enumerate(words)]
    spec = {**SPEC, "search": {"a.x": {"choice": ["b", "a", "c"]}, "a.y": {"choice": [70, 0, 30]}}}
    data = make_study_data(trials, spec=spec, parameters=("a.x", "a.y"))
    figure = parameter_panels(data, {name: main_effects(data, name) for name in data.parameters})
    of_words, of_numbers = (re.findall(r'd="([^"]*)" class="effect final-line"', d) for _, d in figure.drawings)
    assert [len(re.findall(r"[\d.]+ [\d.]+", path)) for path in of_words] == [2, 2, 2]
    (path,) = of_numbers
    across = [float(x) for x in re.findall(r"([\d.]+) [\d.]+", path)]
    assert len(across) == 3
    assert across == sorted(across)


def test_values_outside_the_searched_range_still_fit() -> None:
    scale = _scale({"float": [0.0, 1.0]}, Parameter([-3.0, 0.5]))
    assert FRAME.x[0] < scale(-3.0) < FRAME.x[1]

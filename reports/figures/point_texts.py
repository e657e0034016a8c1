"""Texts beside the points of a figure, which the script of a page shows."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from hnet_core.dotted_keys import short_names
from reports.data.study_data import StudyData
from reports.formatting import cost_text, mean_text, parameter, range_text


def point_texts(data: StudyData, drawn: Container[int]) -> dict[str, Any]:
    """Return the name of each value, the numbers of the front, and the values of each trial drawn as a point."""
    quality, names = data.quality, short_names(data.parameters)
    return {
        "names": [data.x.word, "final", *(["during"] if data.has_during else []), "n", *names.values()],
        "front": [trial.number for trial in data.front],
        "trials": {
            trial.number: [
                cost_text(data.x, data.cost(trial)),
                f"{mean_text(trial[quality.final])} {range_text(trial[quality.final])}",
                *([mean_text(trial[quality.during])] if data.has_during else []),
                str(trial.n),
                *(parameter(trial.params[name])[:40] for name in names),
            ]
            for trial in data.configurations
            if trial.number in drawn
        },
    }

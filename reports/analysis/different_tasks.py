"""The check whether the configurations of a study learn the same tasks: only then can one of them be the best."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hnet_core import dotted_keys
from reports.data.grouping import configurations_of
from reports.data.study_data import StudyData
from studies.spec.conditions import FAMILY

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PARTS = ("stream", "scenario")


def fields_of_different_tasks(studies: Studies, data: StudyData) -> list[str]:
    """List the fields of stream and scenario in which the finished configurations of a study differ."""
    if not any(name == FAMILY or name.partition(".")[0] in PARTS for name in data.parameters):
        return []  # the configurations of a large study take seconds to read
    configs = configurations_of(studies, data.record)
    found: dict[str, set[str]] = {}
    shown = [configs[trial.number] for trial in data.configurations]
    flat: list[dict[str, Any]] = [
        dict(dotted_keys.flatten({part: config[part] for part in PARTS if part in config})) for config in shown
    ]
    for name in dict.fromkeys(name for each in flat for name in each):
        found[name] = {json.dumps(each.get(name), sort_keys=True) for each in flat}
    return [name for name, values in found.items() if len(values) > 1]

"""The check whether the configurations of a study learn the same tasks: only then can one of them be the best."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
    tasks = (
        {part: value for part, value in configs[one.number].items() if part in PARTS} for one in data.configurations
    )
    flat = [dict(dotted_keys.flatten(each)) for each in tasks]
    names = dict.fromkeys(name for each in flat for name in each)
    return [name for name in names if len({json.dumps(each.get(name)) for each in flat}) > 1]

"""Fields of a configuration that trials are grouped by: a part such as the method, any dotted key, the stream."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hnet_core import dotted_keys
from hnet_core.dotted_keys import short_names
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from studies.comparing.comparability import numbers_text
from studies.spec.conditions import FAMILY

if TYPE_CHECKING:
    from studies.database.row_types import LedgerRow
    from studies.queries.record import StudyRecord
    from studies.queries.studies import Studies

PARTS = ("method", "target", "hypernet")


def group_label(config: Mapping[str, Any], by: Sequence[str]) -> str:
    """Format the values of the fields `by`, each after the last part of its key where that is unambiguous.

    A part such as method stands for its name.
    """
    values = {name: _value(config, name) for name in by}
    labels = short_names(by)
    return ", ".join(value if name in PARTS else f"{labels[name]} {value}" for name, value in values.items())


def field_value(config: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field, None where there is none; a part stands for its name."""
    is_block = isinstance(config.get(name), Mapping)  # else a plain column of an older import
    value = dotted_keys.get(config, f"{name}.name" if name in PARTS and is_block else name, None)
    return tuple(value) if isinstance(value, list) else value


def _value(config: Mapping[str, Any], name: str) -> str:
    value = field_value(config, name)
    return value if isinstance(value, str) else json.dumps(value)


def check_named_once(names: Sequence[str]) -> None:
    """Raise ConfigInvalid if a study is named twice."""
    if len(set(names)) < len(names):
        raise ConfigInvalid(f"each study may be named once, got {', '.join(names)}.")


def check_fields(by: Sequence[str], configs: Sequence[Mapping[str, Any]]) -> None:
    """Raise ConfigInvalid if a field of `by` is in no configuration."""
    for name in by:
        if configs and all(_value(config, name) == "null" for config in configs):
            raise ConfigInvalid(
                f"--by must name a field of a trial, got {name!r}{did_you_mean(name, _fields(configs))}."
            )


def _fields(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(PARTS)
    for config in configs:
        names |= dict.fromkeys(
            f"{part}.{key}" for part, block in config.items() if isinstance(block, Mapping) for key in block
        )
    return list(names)


def configurations_of(studies: Studies, record: StudyRecord) -> dict[int, Mapping[str, Any]]:
    """Return the configuration of each trial of a study by its number.

    With its family, a searched value that is no setting of a configuration.
    """
    return {row["number"]: _with_family(row, record) for row in studies.ledger(record.name)}


def _with_family(row: LedgerRow, record: StudyRecord) -> Mapping[str, Any]:
    family = row["params"].get(FAMILY)
    family = first_family(record) if family is None else family
    return row["config"] if family is None else {FAMILY: family, **row["config"]}


def first_family(record: StudyRecord) -> str | None:
    """Return the family of trials that name none; None where the study has no families."""
    families = record.spec.get("families") or (record.spec.get("search") or {}).get(FAMILY, {}).get("choice")
    return next(iter(families or ()), None)


def stream_of(config: Mapping[str, Any], n_tasks: Collection[int]) -> str:
    """Describe the stream and scenario with all options: equal texts mean equal streams.

    Args:
        n_tasks: the numbers of tasks of its runs, for a configuration that does not say it.
    """
    block = config["stream"]
    stream = dict(block) if isinstance(block, Mapping) else {"name": block}  # a plain column of an older import
    head = " ".join(str(stream.pop(key)) for key in ("name", "dataset") if key in stream)
    parts = [f"{head}, {stream.pop('n_tasks', None) or numbers_text(n_tasks)} tasks"]
    if "scenario" in config:  # imported results may have none
        parts.append("known task" if config["scenario"] == "task" else f"scenario {config['scenario']}")
    parts += [f"{key} {json.dumps(value)}" for key, value in stream.items() if value is not None]
    return ", ".join(parts)

"""The methods of a comparison: for each name and stream one configuration, with one value per seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.data.grouping import check_fields, check_named_once, configurations_of, group_label, stream_of
from reports.data.study_data import StudyData, read_study
from reports.data.trial import Trial
from studies.comparing.configurations import machines_of, split_name
from studies.errors import TrialNotFound
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, t_interval
from studies.statistics.selection import least

if TYPE_CHECKING:
    from studies.queries.studies import Studies


@dataclass(frozen=True)
class ComparedMethod:
    """The configuration that represents one name on one stream.

    Attributes:
        label: the study, or the values it is grouped by.
        stream: description of stream and scenario; only methods on the same one are compared.
        trial: the configuration: best of its group by `selection`.
        n_tried: finished configurations it was chosen from.
        selection: metric it was chosen by.
        config: all its settings.
        values: for each metric the value of each seed.
        n_tasks: the numbers of tasks of its seeds.
        machines: host, device and threads of its seeds, None for a machine that is not known.
        data: checksums of the data its seeds saw.
    """

    label: str
    study: str
    stream: str
    trial: Trial
    n_tried: int
    selection: str
    config: Mapping[str, Any]
    values: Mapping[str, Mapping[int, float | None]]
    n_tasks: frozenset[int]
    machines: frozenset[str | None]
    data: frozenset[str]

    @property
    def measure(self) -> str:
        return "accuracy" if self.trial["final_accuracy"].mean is not None else "mse"

    @property
    def machine(self) -> str | None:
        """The machine it ran on; None where it is not known or its seeds ran on several."""
        return next(iter(self.machines)) if len(self.machines) == 1 else None

    def interval(self, metric: str) -> Interval:
        return bounded(metric, t_interval(self.values[metric].values()))


def compared_methods(studies: Studies, names: Sequence[str], by: Sequence[str] = ()) -> list[ComparedMethod]:
    """Select one method per name and stream, in the order given; with `by` one per combination of its values.

    Args:
        names: studies, or STUDY:NUMBER for one configuration of a study.
        by: fields of a trial, such as method or hypernet.chunk_size; a part such as method stands for its name.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if a configuration has not finished, or no trial has a field named in `by`.
    """
    check_named_once(names)
    groups: dict[tuple[str, str], list[_Candidate]] = {}
    for name in names:
        found = _candidates(studies, name)
        for candidate in found:
            label = group_label(candidate.config, by) if by else name
            stream = stream_of(candidate.config, candidate.n_tasks)
            groups.setdefault((label, stream), []).append(candidate)
    check_fields(by, [candidate.config for group in groups.values() for candidate in group])
    shown = _shorter([stream for _, stream in groups])
    return [_best(studies, label, shown[stream], group) for (label, stream), group in groups.items()]


@dataclass(frozen=True)
class _Candidate:
    data: StudyData
    trial: Trial
    config: Mapping[str, Any]
    n_tasks: frozenset[int]


def _candidates(studies: Studies, name: str) -> list[_Candidate]:
    """List the feasible configurations of a study, or the one named."""
    study, number = split_name(studies, name)
    data = read_study(studies, study)
    configs = configurations_of(studies, data.record)
    chosen = [trial for trial in data.configurations if trial.number in data.feasible]
    if number is not None:
        chosen = [trial for trial in data.configurations if trial.number == number]
    if not chosen:
        what = "has no finished configuration" if number is None else f"has no finished trial {number}"
        raise TrialNotFound(f"nothing to compare: study {study!r} {what}; see: hnet study trials {study}")
    n_tasks = studies.numbers_of_tasks(study)
    return [_Candidate(data, trial, configs[trial.number], n_tasks[trial.number]) for trial in chosen]


def _shorter(streams: Sequence[str]) -> dict[str, str]:
    """Shorten each to its first three parts where that is unambiguous."""
    heads = {stream: ", ".join(stream.split(", ")[:3]) for stream in dict.fromkeys(streams)}
    return {stream: head if list(heads.values()).count(head) == 1 else stream for stream, head in heads.items()}


def _best(studies: Studies, label: str, stream: str, group: Sequence[_Candidate]) -> ComparedMethod:
    import numpy as np

    quality = group[0].data.quality
    selection = quality.selection if all(c.trial[quality.selection].mean is not None for c in group) else quality.final
    sign = -1 if quality.higher_is_better else 1
    losses = np.array([sign * candidate.trial.value(selection) for candidate in group])
    sizes = np.array([candidate.trial.value("compression_ratio") for candidate in group])
    chosen = group[least(np.ones(len(group), dtype=bool), losses, sizes)]
    study = chosen.data.record.name
    own = studies.runs(study, where=f"number == {chosen.trial.number}")
    values = {
        metric: {
            int(seed): None if math.isnan(value) else float(value)
            for seed, value in zip(own["seed"], own[metric], strict=True)
        }
        for metric in METRICS
    }
    return ComparedMethod(
        label, study, stream, chosen.trial, len(group), selection, chosen.config, values,
        frozenset(map(int, own["n_tasks"])), machines_of(studies, study, chosen.trial.number),
        frozenset(own["data_checksum"]),
    )  # fmt: skip

"""A spec from its document: overrides, checks, and every complaint with file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hnet_core.component_check import Complaint, explain
from hnet_core.component_check import Path as KeyPath
from hnet_core.config_validation import check_trial
from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.registry import did_you_mean
from studies.metrics.definitions import METRICS
from studies.spec.conditions import FAMILY, field_of
from studies.spec.document import Document
from studies.spec.overrides import apply_overrides, refuse_lost
from studies.spec.reachability import too_large, unreachable
from studies.spec.space_validation import check_space
from studies.spec.spec import SweepSpec
from studies.spec.variants import take_variant


def load_spec(
    document: Document,
    data: Path,
    assignments: Sequence[str] = (),
    study: str | None = None,
    trained_here: bool = False,
) -> SweepSpec:
    """Check a spec in full, before anything is started or written.

    Args:
        document: the YAML as read.
        data: data root, needed where a stream's shape depends on a user's own data set.
        assignments: `--set` arguments.
        study: replaces the name of the study.
        trained_here: refuse what this machine has not enough memory for, too.

    Raises:
        ConfigInvalid: one line per thing that is wrong, each with file, line and key.
    """
    content = document.content
    take_variant(document, None)
    apply_overrides(document, assignments, SweepSpec.model_fields)
    if study is not None:
        content["study"] = study
    try:
        spec, complaints = _check(content, data)
        if spec is not None and trained_here and (complaints := too_large(spec, data)):
            spec = None
    except NotFound as error:
        raise type(error)(f"{document.place(('trial', 'stream', 'dataset'))}: trial.stream.dataset: {error}") from None
    if spec is None:
        raise _invalid(document, complaints)
    refuse_lost(document)
    return spec


def read_spec(document: Document) -> SweepSpec:
    """Read a spec without the checks of its search space, which need data.

    Raises:
        ConfigInvalid: one line per thing that is wrong, each with file, line and key.
    """
    take_variant(document, None)
    spec, complaints = _validated(document.content)
    if spec is None:
        raise _invalid(document, complaints)
    return spec


def _invalid(document: Document, complaints: Sequence[Complaint]) -> ConfigInvalid:
    lines = [f"{document.place(_written(one.path))}: {one}" for one in complaints]
    return ConfigInvalid("\n".join(dict.fromkeys(lines)))


def _validated(content: Mapping[str, Any], data: Path | None = None) -> tuple[SweepSpec | None, list[Complaint]]:
    try:
        return SweepSpec.model_validate(content, context={"data": data}), []
    except ValidationError as error:
        complaints = [_without_tags(one) for one in explain(error, SweepSpec)]
        trial = content.get("trial")
        if isinstance(trial, Mapping) and not content.get("families"):  # then it must be complete by itself
            complaints += [Complaint(("trial", *one.path), one.message) for one in check_trial(trial)[1]]
        return None, complaints


def _check(content: Mapping[str, Any], data: Path) -> tuple[SweepSpec | None, list[Complaint]]:
    spec, complaints = _validated(content, data)
    if spec is None:
        return None, complaints
    complaints = check_space(spec, data) or [
        *_check_metrics(spec, data),
        *_check_racing(spec),
        *_check_resources(spec),
        *_check_first(spec),
    ]
    complaints = complaints or unreachable(spec, data)
    return (None, complaints) if complaints else (spec, [])


def _without_tags(complaint: Complaint) -> Complaint:
    """Pydantic puts the chosen kind of range into the path: search, FIELD, float, float -> search, FIELD, float."""
    path = complaint.path
    if len(path) > 3 and path[0] == "search":
        path = (*path[:2], *path[3:])
    elif len(path) == 3 and path[0] == "search" and path[2] in ("float", "int", "choice"):
        path = path[:2]
    return Complaint(path, complaint.message)


def _written(path: KeyPath) -> KeyPath:
    """Return the path of a key as it is written: a range by family, search, FIELD[FAMILY], is search, FIELD, FAMILY."""
    key = str(path[1]) if len(path) > 1 and path[0] == "search" else ""
    if not key.endswith("]"):
        return path
    return ("search", field_of(key), key[len(field_of(key)) + 1 : -1], *path[2:])


def _check_metrics(spec: SweepSpec, data: Path) -> Iterator[Complaint]:
    from hnet_core.build import stream_shape

    config = spec.config()
    measure = stream_shape(config, data).measure
    usable = [name for name, metric in METRICS.items() if metric.measure in (None, measure)]
    for block, names in (("objectives", spec.objectives), ("constraints", spec.constraints)):
        for name in names:
            if name not in usable:
                is_metric = name in METRICS
                what = f"stream {config.stream.name} measures {measure}" if is_metric else "unknown metric"
                yield Complaint((block, name), f"{what}{did_you_mean(name, usable, all_in='docs/schema.md')}")


def _check_racing(spec: SweepSpec) -> Iterator[Complaint]:
    if spec.racing and spec.seeds < 3:
        yield Complaint(("racing",), f"needs at least 3 seeds, as two must be trained to judge, got {spec.seeds}")


def _check_resources(spec: SweepSpec) -> Iterator[Complaint]:
    resources = spec.resources
    if resources is None:
        return
    for name in resources.families:
        if name not in spec.families:
            known = did_you_mean(name, spec.families) if spec.families else "; the spec has no families"
            yield Complaint(("resources", "families", name), f"unknown family{known}")
    for params in spec.space.branches():
        family, device = params.get(FAMILY), spec.config(params).training.device
        if resources.of_family(family).gpus and device not in ("auto", "cuda"):
            of_family = "" if family is None else f" of family {family}"
            yield Complaint(("resources", "gpus"), f"must be 0 or left out with training.device {device}{of_family}")
            return


def _check_first(spec: SweepSpec) -> Iterator[Complaint]:
    for position, params in enumerate(spec.enqueue):
        misfit = spec.space.misfit(params, any_family=spec.sampler != "grid")
        if misfit is not None:
            remedy = "correct it, or drop all enqueued trials with --set enqueue=[]"
            yield Complaint(("enqueue", position), f"{misfit}; {remedy}")
    if spec.warm_start is not None and spec.sampler in ("random", "grid"):
        yield Complaint(("warm_start",), f"{spec.sampler} learns from no results; take tpe, nsga2 or gp")

"""The check of what measures a published cell: is its training one that the installed components can run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hnet_core.config_validation import check_trial
from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.trial import TrialConfig
from reports.data.published_cells import BY_TASK, Configuration, MeasuredBy, PublishedCell, Scale
from studies.metrics.definitions import METRICS

NO_ENTRY = "no configuration is defined that reproduces it"


@cache
def parsed(configuration: Configuration, scale: Scale = "full") -> TrialConfig:
    """Return the checked trial of a configuration at one scale.

    Raises:
        ConfigInvalid: it has no such scale, or its trial is none for the installed components.
    """
    if scale not in configuration.blocks:
        raise ConfigInvalid(f"configuration {configuration.name} has no scale {scale}")
    config, complaints = check_trial(configuration.blocks[scale])
    if config is None:
        raise ConfigInvalid(f"configuration {configuration.name}: {complaints[0]}")
    return config


def known_trial(configuration: Configuration, scale: Scale = "full") -> TrialConfig | None:
    """Return the checked trial of a configuration, None where the installed components cannot run it."""
    try:
        return parsed(configuration, scale)
    except ConfigInvalid:
        return None


@cache
def why_not(way: MeasuredBy, scale: Scale = "full", data: Path | None = None) -> str | None:
    """Return the reason why a metric of a configuration cannot be measured here, None where it can.

    Images that are not at hand are no reason: they can be one's own.
    """
    from hnet_core.build import networks, stream_shape

    try:
        config = parsed(way.configuration, scale)
        metric = METRICS.get(way.metric_name)
        if metric is None or (way.task is not None and metric.name not in BY_TASK):
            return f"unknown metric {way.metric}"
        try:
            shape = stream_shape(config, data)
        except NotFound:
            return None
        networks(config, shape)
    except ConfigInvalid as error:
        return str(error).rstrip(".")
    if metric.measure not in (None, shape.measure):
        return f"metric {metric.name} needs a stream that measures {metric.measure}"
    if way.task is not None and not 1 <= way.task <= shape.n_tasks:
        return f"{way.metric} needs a task of that number, the stream has {shape.n_tasks}"
    return None


def unexplained(cell: PublishedCell, scale: Scale = "full", data: Path | None = None) -> str | None:
    """Return why nothing measures a cell that gives no reason itself; None where a way is open or a reason given."""
    if cell.reason:
        return None
    reasons = [why_not(way, scale, data) for way in cell.measured_by]
    if not reasons:
        return NO_ENTRY
    return None if None in reasons else "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def is_measurable(cell: PublishedCell, scale: Scale = "full", data: Path | None = None) -> bool:
    """Return whether a training that the installed components can run measures a cell."""
    return not cell.reason and unexplained(cell, scale, data) is None

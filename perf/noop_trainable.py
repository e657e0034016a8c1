"""Ray workers for perf/sweep.py that take the jobs of a sweep and train nothing."""

from __future__ import annotations

from perf.noop import no_work
from sweeps.ray_backend.trainable import JobTrainable


class NoopTrainable(JobTrainable):
    work = staticmethod(no_work)


class MessagePerTaskTrainable(NoopTrainable):
    """A worker without batching: one message per step, as sent by trials with long tasks."""

    batch_seconds = 0.0

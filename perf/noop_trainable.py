"""The workers of perf/sweep.py on Ray: they take jobs like ours and train nothing."""

from __future__ import annotations

from perf.noop import no_work
from sweeps.ray_backend.trainable import JobTrainable


class NoopTrainable(JobTrainable):
    work = staticmethod(no_work)


class MessagePerTaskTrainable(NoopTrainable):
    """The same with a message for every step, as trials send them whose tasks take their time."""

    moment_seconds = 0.0

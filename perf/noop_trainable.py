"""The worker of perf/sweep.py on Ray: it takes jobs like ours and trains nothing."""

from __future__ import annotations

from perf.noop import no_work
from sweeps.trainable import JobTrainable


class NoopTrainable(JobTrainable):
    work = staticmethod(no_work)

"""Peak resident memory of this process since a given time, in MiB."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


class PeakMemory:
    """Peak resident memory since the construction of the object.

    On Linux the kernel's high-water mark is reset first, so that a worker that trains many trials reports each one
    its own; elsewhere only the peak of the entire process is available.
    """

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            self._resettable = False
        else:
            self._resettable = True

    def mib(self) -> float:
        if self._resettable:
            found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
            if found:
                return int(found[1]) / 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 1024

"""The highest resident memory of this process since a moment, in MiB."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


class PeakMemory:
    """Starts counting when it is made.

    On Linux the kernel's high-water mark is set back first, so that a worker that trains many trials reports each on
    its own; elsewhere the peak of the whole process is all there is.
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

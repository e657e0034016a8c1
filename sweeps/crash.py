"""Named points at which a crash test may kill the process; they cost one look-up and do nothing otherwise."""

from __future__ import annotations

import os
import signal
from typing import Literal

CrashPoint = Literal["after_ask", "after_row", "mid_train", "after_checkpoint", "after_commit", "after_tell"]
VARIABLE = "HNET_CRASH_AT"


def crash_point(name: CrashPoint) -> None:
    """Kill this process as kill -9 would if HNET_CRASH_AT names this point (`after_row:3`: when met the third time)."""
    wanted, _, count = os.environ.get(VARIABLE, "").partition(":")
    if wanted != name:
        return
    left = int(count or 1) - 1
    os.environ[VARIABLE] = f"{name}:{left}"
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)

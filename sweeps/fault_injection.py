"""Failpoints: named points at which a crash test kills the process; in production each costs one dictionary look-up."""

from __future__ import annotations

import os
import signal
from typing import Literal

Failpoint = Literal[
    "after_ask", "after_row", "within_task", "mid_train", "after_checkpoint", "after_commit", "after_tell"
]
VARIABLE = "HNET_CRASH_AT"
LOG_VARIABLE = "HNET_CRASH_LOG"
PID_VARIABLE = "HNET_CRASH_PID"


def failpoint(name: Failpoint) -> None:
    """Kill this process with SIGKILL if HNET_CRASH_AT names this point.

    `after_row:3` kills at the third time a process reaches the point; `mid_train:3:FILE` only the first process that
    does so, which creates FILE. HNET_CRASH_PID names another process to kill. With HNET_CRASH_LOG each point that is
    reached becomes a line of that file.
    """
    if LOG_VARIABLE in os.environ:
        with open(os.environ[LOG_VARIABLE], "a") as file:
            file.write(f"{name}\n")
    wanted, _, rest = os.environ.get(VARIABLE, "").partition(":")
    if wanted != name:
        return
    count, _, once = rest.partition(":")
    left = int(count or 1) - 1
    os.environ[VARIABLE] = f"{name}:{left}:{once}"
    if left <= 0 and (not once or _is_first(once)):
        os.kill(int(os.environ.get(PID_VARIABLE) or os.getpid()), signal.SIGKILL)


def _is_first(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True

"""Progress of an import or export: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from studies.output.formats import say

SECONDS_BETWEEN_LINES = 10.0


class CopyProgress:
    """Shows the steps of an import or export on standard error: a context manager that is called with each advance."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, emoji=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=None)
        self._step = ""
        self._started = self._last_call = self._last_line = time.monotonic()

    def __enter__(self) -> CopyProgress:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Take notice that `done` of `total` of a step is over; a step begins when it is first named."""
        now = time.monotonic()
        if step != self._step:
            self._step, self._started = step, self._last_call
            self._bar.reset(self._task, description=step, total=total, completed=done)
        self._last_call = now
        self._bar.update(self._task, completed=done, total=total)
        if not self._console.is_terminal and now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            share = done / max(total, 1)
            left = (now - self._started) * (1 - share) / share if share else 0
            say(f"{step}: {share:.0%}" + (f", about {left:.0f} s left" if share else ""))

"""Progress line of a sweep: live on a terminal, once a minute elsewhere."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any, TextIO

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn

from studies.output.closed_pipe import discard
from studies.spec.spec import SweepSpec
from studies.statistics.pareto import pareto_mask
from sweeps.driver.counters import Counters
from sweeps.driver.driver import Driver
from sweeps.driver.tasks_done import TasksDone
from sweeps.duration import duration_text
from sweeps.jobs import Message

SECONDS_BETWEEN_LINES = 60.0
BAR_WIDTH = 24

log = logging.getLogger("hnet")


class SweepProgress:
    """Shows the progress of a driver; a context manager around the sweep.

    Args:
        tasks: tasks finished of the running trials, which count as parts of a trial.
    """

    def __init__(self, driver: Driver, stream: TextIO, tasks: TasksDone | None = None) -> None:
        self._driver = driver
        self._tasks = TasksDone() if tasks is None else tasks
        self._noted = self._ended
        self._finished: deque[float] = deque([time.monotonic()], maxlen=21)
        self._over = threading.Event()
        self._stream = stream
        self._bar_handlers: list[logging.StreamHandler[Any]] = []
        self._console = _Console(file=stream, emoji=False)
        columns: list[ProgressColumn] = [BarColumn(bar_width=BAR_WIDTH), TextColumn("{task.description}", markup=False)]
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=driver.spec.planned_trials)

    def __enter__(self) -> SweepProgress:
        if self._console.is_terminal:
            self._update()
            self._bar.start()
            self._bar_handlers = [handler for handler in log.handlers if type(handler) is logging.StreamHandler]
            for handler in self._bar_handlers:
                handler.setStream(_Above(self._console))
        else:
            if self._ended:
                self._print()
            threading.Thread(target=self._print_periodically, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._console.is_terminal:
            for handler in self._bar_handlers:
                handler.setStream(self._stream)
            self._bar.stop()
        self._print()

    def note(self, number: int, message: Message, continues: bool) -> None:
        """Update the line after the driver has processed a message; `continues` is what `Driver.receive` returned."""
        self._tasks.note(number, message, continues)
        if self._ended > self._noted:
            self._finished.append(time.monotonic())
        self._noted = self._ended
        if self._console.is_terminal:
            self._update()

    def _update(self) -> None:
        completed = self._ended + self._tasks.trials
        shown = broken(self.line(), self._console.width - BAR_WIDTH - 1)
        self._bar.update(self._task, completed=completed, description=shown)

    def line(self) -> str:
        """Text of the line: done of planned, running, failed, rate, ETA, best so far, front size."""
        counters, planned = self._driver.counters, self._driver.spec.planned_trials
        of = "" if planned is None else f"/{planned}"
        parts = [f"{self._ended}{of} done", f"{len(counters.running)} running", f"{counters.failed} failed"]
        if counters.pruned:
            parts.append(f"{counters.pruned} stopped early")
        if counters.skipped:
            parts.append(f"{counters.skipped} skipped")
        if counters.preempted:
            parts.append(f"{counters.preempted} preempted")
        rate = self._per_minute()
        if rate is not None:
            parts.append(f"{rate:.1f} trials/min")
            if planned is not None and self._ended < planned:
                left = planned - self._ended - self._tasks.trials
                parts.append(f"ETA {duration_text(60 * max(left, 0) / rate)}")
        return " | ".join([*parts, *results(self._driver.spec, counters)])

    def _print_periodically(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LINES):
            self._print()

    def _print(self) -> None:
        self._console.print(self.line(), markup=False, highlight=False, soft_wrap=True)

    @property
    def _ended(self) -> int:
        return self._driver.counters.complete + self._driver.counters.pruned + self._driver.counters.failed

    def _per_minute(self) -> float | None:
        """Rate over the last 20 finished trials; None until three have finished."""
        if len(self._finished) < 4:
            return None
        span = self._finished[-1] - self._finished[0]
        return 60 * (len(self._finished) - 1) / span if span > 0 else None


def broken(line: str, width: int) -> str:
    """Break a progress line between its parts, so that a narrow terminal shows all of them; a part stays whole."""
    first, *parts = line.split(" | ")
    lines = [first]
    for part in parts:
        if len(lines[-1]) + len(part) + 3 <= width:
            lines[-1] += f" | {part}"
        else:
            lines.append(part)
    return "\n".join(lines)


class _Console(Console):
    """A console whose reader may leave: the sweep goes on without showing its progress."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        discard(self.file)  # type: ignore[arg-type]  # IO[str]


class _Above:
    """A stream that writes above the progress bar."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> None:
        self._console.print(text, end="", markup=False, highlight=False, soft_wrap=True)

    def flush(self) -> None:
        """Do nothing: the console writes at once."""


def results(spec: SweepSpec, counters: Counters) -> list[str]:
    """Texts of the results so far: best and front, or that no trial keeps the constraints; empty without results."""
    none = infeasible_text(spec, counters)
    return [none] if none is not None else best_and_front(spec, list(counters.objectives.values()))


def infeasible_text(spec: SweepSpec, counters: Counters) -> str | None:
    """Text such as "none of 6 keeps final_accuracy >= 0.99 (nearest 0.29)"; None if a trial keeps the constraints."""
    if counters.objectives or not counters.infeasible:
        return None
    _, nearest = min(list(counters.infeasible.values()), key=lambda trial: trial[0])
    bounds = " and ".join(str(constraint) for constraint in spec.parsed_constraints)
    values = ", ".join("undefined" if value is None else f"{value:.4g}" for value in nearest)
    return f"none of {len(counters.infeasible)} keeps {bounds} (nearest {values})"


def best_and_front(spec: SweepSpec, objectives: Collection[Sequence[float | None]]) -> list[str]:
    """Texts such as "best final_accuracy 0.9571 at compression_ratio 0.42", "front 5"; empty without results.

    Where the ratio is an objective, the best is one of those that compress, if any does: a reference network of the
    whole size beside them is no result of the search.
    """
    values = np.array([[np.nan if value is None else value for value in row] for row in objectives], dtype=float)
    values = values[~np.isnan(values).any(axis=1)] if len(values) else values
    if not len(values):
        return []
    names, directions = list(spec.objectives), list(spec.objectives.values())
    compresses = values[:, names.index("compression_ratio")] < 1 if "compression_ratio" in names else np.zeros(0)
    compared = values[compresses] if compresses.any() else values
    best = compared[compared[:, 0].argmax() if directions[0] == "maximize" else compared[:, 0].argmin()]
    rest = ", ".join(f"{name} {value:.3g}" for name, value in zip(names[1:], best[1:], strict=True))
    text = f"best {names[0]} {best[0]:.4g}" + (f" at {rest}" if rest else "")
    return [text, f"front {int(pareto_mask(values, directions).sum())}"] if len(names) > 1 else [text]

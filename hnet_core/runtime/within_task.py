"""State that arises while a task is trained, for checkpoints between two of its steps.

What a task makes for itself and changes with its steps, such as a random generator or an optimiser, is noted here when
it is made. A resumed run makes the same objects in the same order, and each gets its saved state at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from typing import Any

Get = Callable[[], Any]
Load = Callable[[Any], object]


class WithinTask:
    """The objects of one task, in the order they are made inside of `with` blocks of it.

    Args:
        saved: `states()` of the interrupted run at the step to go on from.
    """

    def __init__(self, saved: Sequence[Any] = ()) -> None:
        self._saved = list(saved)
        self._made: list[Get] = []
        self._owners: set[int] = set()
        self._token: Token[WithinTask | None] | None = None

    def __enter__(self) -> WithinTask:
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _current.reset(self._token)

    def note(self, state: Get, load_state: Load) -> None:
        position = len(self._made)
        self._made.append(state)
        if position < len(self._saved) and self._saved[position] is not None:
            load_state(self._saved[position])

    def note_once(self, owner: object, state: Get, load_state: Load) -> None:
        if id(owner) not in self._owners:
            self._owners.add(id(owner))
            self.note(state, load_state)

    def states(self) -> list[Any]:
        """Return the state of each object, None for those that are gone; safe to load."""
        return [state() for state in self._made]


_current: ContextVar[WithinTask | None] = ContextVar("within_task", default=None)


def note(state: Get, load_state: Load) -> None:
    """Note an object whose state changes with the steps of the task in training; outside of one do nothing.

    Args:
        state: returns copies of tensors, numbers, lists and dicts of them.
        load_state: puts such a state in place; called at once in a run that was interrupted within this task.
    """
    task = _current.get()
    if task is not None:
        task.note(state, load_state)


def note_once(owner: object, state: Get, load_state: Load) -> None:
    """Note the state of an owner at its first call in a task, as `note` does; the owner must outlive the task."""
    task = _current.get()
    if task is not None:
        task.note_once(owner, state, load_state)

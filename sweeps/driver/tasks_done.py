"""Tasks that the running trials of a sweep have finished, for the people who watch it."""

from __future__ import annotations

from sweeps.jobs import JobProgress, Message


class TasksDone:
    """Tasks finished and tasks in all, over all seeds, of each running trial that has reported.

    One thread notes the messages; others may read.
    """

    def __init__(self) -> None:
        self._tasks: dict[int, tuple[int, int]] = {}

    def note(self, number: int, message: Message, continues: bool) -> None:
        """Note a message of a trial; `continues` is what `Driver.receive` returned for it."""
        if isinstance(message, JobProgress) and continues:
            self._tasks[number] = (message.tasks_done, message.tasks_in_all)
        else:
            self._tasks.pop(number, None)

    def by_trial(self) -> dict[int, tuple[int, int]]:
        """Return (finished, in all) by number of the trial."""
        return self._tasks.copy()

    @property
    def trials(self) -> float:
        """The tasks finished, in trials."""
        return sum(done / in_all for done, in_all in self.by_trial().values())

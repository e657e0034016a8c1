"""The guard of a sweep, which ends it when its trials fail for reasons of their own."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass

WINDOW = 20
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class OwnFailure:
    """Failure of a trial that another attempt would repeat."""

    number: int
    reason: str
    traceback: str | None


@dataclass(frozen=True)
class Verdict:
    """Finding of the guard that a sweep must end.

    Attributes:
        finding: such as "the first 5 trials failed".
        commonest: newest failure with the commonest reason.
        n_alike: failures with that reason, numbers in it left out.
        n_failed: failures that led to the finding.
    """

    finding: str
    commonest: OwnFailure
    n_alike: int
    n_failed: int


class FailureGuard:
    """Counts how the trials end since the sweep was started or resumed.

    The rule of Ax is a share of all trials after the first few (https://ax.dev, `tolerated_trial_failure_rate`).
    Differs: the share is that of the newest trials, so that a long sweep which breaks late ends too.

    Args:
        first: failures that end the sweep if no other trial has ended; 0 never ends it.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._newest: deque[OwnFailure | None] = deque(maxlen=max(WINDOW, 2 * first))
        self._all_failed = True

    def trial_ended_well(self) -> None:
        """Count a trial that is COMPLETE or PRUNED."""
        self._newest.append(None)
        self._all_failed = False

    def trial_failed(self, number: int, reason: str, traceback: str | None) -> None:
        """Count a trial that failed for a reason of its own."""
        self._newest.append(OwnFailure(number, reason, traceback))

    def verdict(self) -> Verdict | None:
        """Return why the sweep must end, None if it may go on."""
        failures, size = [one for one in self._newest if one is not None], self._newest.maxlen or WINDOW
        if not self._first or not failures:
            return None
        if self._all_failed and len(failures) >= self._first:
            return _verdict(
                "the first trial failed" if len(failures) == 1 else f"the first {len(failures)} trials failed", failures
            )
        if 2 * len(failures) > size:
            return _verdict(f"{len(failures)} of the last {len(self._newest)} trials failed", failures)
        return None


def _verdict(finding: str, failures: list[OwnFailure]) -> Verdict:
    kinds = [_NUMBER.sub("#", one.reason) for one in failures]
    kind, n_alike = Counter(kinds).most_common(1)[0]
    newest = next(one for one, its_kind in zip(reversed(failures), reversed(kinds), strict=True) if its_kind == kind)
    return Verdict(finding, newest, n_alike, len(failures))

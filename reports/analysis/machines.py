"""Remark on a cost that can be compared on one machine only, where it was measured on several."""

from __future__ import annotations

from collections.abc import Collection

from studies.comparing.comparability import why_different_machines
from studies.metrics.cost_axes import CostAxis

MAX_NAMED = 4


def machines_remark(x: CostAxis, machines: Collection[str | None]) -> str | None:
    """Return a sentence where values of a cost must not be compared, because of the machines they are from, or None.

    Args:
        machines: those that measured it, as in `StudyData.machines`.
    """
    if why_different_machines([frozenset(machines)]) is None:
        return None
    rule = f"{x.name} can be compared on one machine only, so do not read small differences of it."
    known = sorted(machine for machine in machines if machine is not None)
    if len(known) < len(machines):
        return f"Measured on machines that are not all known: {rule}"
    named = "; ".join(known[:MAX_NAMED]) + ("; ..." if len(known) > MAX_NAMED else "")
    return f"Measured on {len(known)} machines ({named}): {rule}"

"""Settings in which compared configurations differ, and remarks on how fair the comparison is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.analysis.comparison import Comparison
from reports.data.compared_methods import ComparedMethod
from reports.formatting import capitalized, parameter, plural, significant
from studies.comparing.comparability import BUDGET, why_different_machines
from studies.statistics.intervals import TWO_SEEDS, few_seeds_remark

NOT_A_SETTING = ("training.device", "training.threads", "training.engine")
ABSENT = "–"


@dataclass(frozen=True)
class Setting:
    """One field in which the methods on a stream differ, with its value for each of them."""

    name: str
    values: tuple[str, ...]


def differing_settings(methods: Sequence[ComparedMethod]) -> list[Setting]:
    """List every field that is not the same for all, in the order of a configuration; those of the budget first."""
    flat = [_flat(one.config) for one in methods]
    names = dict.fromkeys([*BUDGET, *(name for config in flat for name in config if name not in NOT_A_SETTING)])
    found = []
    for name in names:
        values = tuple(parameter(config[name]) if name in config else ABSENT for config in flat)
        if len(set(values)) > 1:
            found.append(Setting(name, values))
    for name, counted in (
        ("seeds", [one.trial.n for one in methods]),
        ("configurations tried", [one.n_tried for one in methods]),
    ):
        if len(set(counted)) > 1:
            found.append(Setting(name, tuple(str(count) for count in counted)))
    return found


def budget_remarks(methods: Sequence[ComparedMethod]) -> list[str]:
    """List caveats of a verdict."""
    remarks = []
    tried = [one.n_tried for one in methods]
    if len(set(tried)) > 1:
        remarks.append(
            f"They were not searched equally: the best of {min(tried)} to {max(tried)} finished configurations is "
            "compared, and the best of more is a more optimistic estimate."
        )
    on_test = [one.label for one in methods if one.n_tried > 1 and not one.selection.startswith("validation")]
    if on_test:
        were = "was" if len(on_test) == 1 else "were"
        remarks.append(
            f"Without a validation split {plural(len(on_test), 'entrant')} {were} chosen on the test split that is "
            f"reported ({', '.join(on_test[:4])}): such values are optimistic."
        )
    few = few_seeds_remark(one.trial.n for one in methods)
    if few is not None:
        remarks.append(f"{capitalized(few)}.")
    machines = [one.machines for one in methods]
    if any(None in each for each in machines):
        remarks.append("The machines of some are not known, so their times are not compared.")
    elif why_different_machines(machines) is not None:
        remarks.append("They ran on different machines, so their times are not compared.")
    return remarks


def seed_remarks(comparison: Comparison) -> list[str]:
    """List the caveat of methods with two seeds, if there are any."""
    two = [one.label for one in comparison.methods if one.interval(comparison.metric).n == 2]
    if not two:
        return []
    which = "Every entrant rests" if len(two) == len(comparison.methods) else f"{', '.join(dict.fromkeys(two))} rest"
    return [f"{which} on 2 seeds: {TWO_SEEDS}."]


def smallest_p_remark(comparison: Comparison) -> str:
    """State the smallest p value that these seeds allow."""
    found = [p.verdict for p in comparison.pairs if p.verdict.p_smallest is not None]
    if not found:
        return "No two entrants share their seeds, so nothing is paired and there are no sign flips."
    n, p = min((v.a.n, v.p_smallest or 1.0) for v in found)
    low = " From six pairs on it can fall below 0.05." if n < 6 else ""
    return f"With {n} pairs of seeds the smallest p that sign flips can give is {significant(p, 2)}.{low}"


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for block, value in config.items():
        if isinstance(value, Mapping):
            flat |= {f"{block}.{key}": item for key, item in value.items()}
        else:
            flat[block] = value
    return flat

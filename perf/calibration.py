"""Coverage of the intervals and error rates of the verdicts, by simulation: `python -m perf.calibration`.

The true means are known here, so the nominal levels of intervals and verdicts can be checked by counting.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from studies.output.formats import write
from studies.statistics.intervals import INTERVAL_LABELS, interval_of
from studies.statistics.paired_tests import Design, Samples
from studies.statistics.verdicts import A_BETTER, B_BETTER, EQUIVALENT, Answer, judge

if TYPE_CHECKING:
    import numpy as np

SEEDS_SHARE = 0.5  # variance that runs with the same seed have in common, of a total of 1


def coverage(kind: str, n: int, repeats: int, rng: np.random.Generator) -> float:
    """Return the share of simulated studies of n normal runs whose interval contains the true mean."""
    values = rng.normal(0.9, 0.02, (repeats, n))
    intervals = (interval_of(row.tolist(), kind) for row in values)
    return sum(one.low <= 0.9 <= one.high for one in intervals) / repeats  # type: ignore[operator]


def verdict_rate(
    answers: Collection[Answer],
    effect: float,
    *,
    n: int = 10,
    repeats: int = 1000,
    family: int = 1,
    design: Design = "paired",
    margin: float | None = None,
    rng: np.random.Generator,
) -> float:
    """Return the share of `repeats` simulated families of comparisons with one of the answers at least once.

    Args:
        effect: true mean(A) - mean(B) of every comparison, in standard deviations of what is averaged: the differences
            of pairs, or the runs of one side.
        n: runs of each side.
        margin: in the same unit.
    """
    found = 0
    for _ in range(repeats):
        verdicts = judge([_simulated(effect, n, design, rng) for _ in range(family)], margin=margin)
        found += any(verdict.answer in answers for verdict in verdicts)
    return found / repeats


def _simulated(effect: float, n: int, design: Design, rng: np.random.Generator) -> Samples:
    if design == "unpaired":
        return Samples(tuple(rng.normal(effect, 1, n)), tuple(rng.normal(0, 1, n)), design)
    # The part common to a seed cancels in a pair; the remaining difference has variance 1.
    of_seed = rng.normal(0, (SEEDS_SHARE) ** 0.5, n)
    a, b = rng.normal(0, (1 - SEEDS_SHARE) ** 0.5, (2, n))
    return Samples(tuple(of_seed + a + effect), tuple(of_seed + b), design)


def _rows(repeats: int, seed: int) -> Iterator[dict[str, Any]]:
    import numpy as np

    rng = np.random.default_rng(seed)
    for kind in ("t95", "sem", "bootstrap"):
        for n in (3, 5, 10, 20):
            yield {
                "what": f"{INTERVAL_LABELS[kind]}: covers the mean",
                "n": n,
                "share": coverage(kind, n, repeats, rng),
            }
    designs: tuple[Design, ...] = ("paired", "unpaired")
    for design in designs:
        found = partial(verdict_rate, n=10, repeats=repeats, design=design, rng=rng)
        shares = {
            "no difference: a false better": found({A_BETTER, B_BETTER}, 0.0),
            "five at a time, no difference: a false better": found({A_BETTER, B_BETTER}, 0.0, family=5),
            "A better by 1.5 SD: found": found({A_BETTER}, 1.5),
            "A better by the margin: called equivalent": found({EQUIVALENT}, 1.0, margin=1.0),
        }
        yield from ({"what": f"{design}, {what}", "n": 10, "share": share} for what, share in shares.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=["table", "json", "csv"], default="table")
    arguments = parser.parse_args()
    write(list(_rows(arguments.repeats, arguments.seed)), ["what", "n", "share"], arguments.format)

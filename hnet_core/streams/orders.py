"""Seeds of the orders of a stream: of its classes, and of the pixels of each task."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator

Setting = TypeVar("Setting")


def _not_negative(setting: Setting) -> Setting:
    if isinstance(setting, int) and setting < 0:
        raise ValueError(f"must be at least 0, got {setting}")
    return setting


ClassOrderSeed = Annotated[int | Literal["run", "run_except_0"], AfterValidator(_not_negative)]
PermutationSeed = Annotated[int | Literal["run"], AfterValidator(_not_negative)]


def order_seed(setting: object, seed: int) -> int | None:
    """Return the seed to draw an order from; None to leave everything in its place.

    Args:
        setting: a number for one order in all runs; run: the seed of the run; run_except_0: likewise, but nothing is
            drawn in the run of seed 0. So do the runs of van de Ven's code that von Oswald et al. (2020) print for EWC,
            SI and DGR (https://github.com/GMvandeVen/continual-learning). None: never drawn.
        seed: of the run.
    """
    if setting is None or isinstance(setting, int):
        return setting
    return None if setting == "run_except_0" and seed == 0 else seed


def is_of_run(setting: object) -> bool:
    """Return whether an order differs from run to run."""
    return setting in ("run", "run_except_0")

"""Faults of earlier versions in results whose configuration says nothing of them.

A configuration that trains differently since a fault was mended gets another hash, so that its earlier results are
neither reused nor mixed with new ones; all others keep theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CORRECTED_METHODS = ("partial_hnet",)  # those that `corrected_faults` may name


def corrected_faults(method: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what was wrong with results of a method block in earlier versions, oldest first; empty: nothing.

    The number of entries is part of the configuration hash. Append one with every correction that changes the numbers
    of some configurations of a method.
    """
    if method.get("name") == "partial_hnet" and method.get("beta_output") == 0:
        return ("the embeddings of earlier tasks moved on by gradients that their own training had left",)
    return ()

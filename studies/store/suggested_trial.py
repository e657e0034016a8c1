"""A trial before it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hnet_core.trial import WeightCounts
from studies.metrics.definitions import COUNTS


@dataclass(frozen=True)
class SuggestedTrial:
    """The columns of a trial row that follow from its configuration.

    Attributes:
        config: the whole trial block.
        config_hash: equal exactly where two trials train the same.
        params: the searched values by dotted name.
        measure: accuracy or mse.
        counts: None where the combination is impossible, so that there is nothing to count.
    """

    config: Mapping[str, Any]
    config_hash: str
    params: Mapping[str, Any]
    measure: str
    counts: WeightCounts | None

    def columns(self) -> dict[str, Any]:
        """Return the values by column of the trial table."""
        return {
            "config": dict(self.config),
            "config_hash": self.config_hash,
            "params": dict(self.params),
            "measure": self.measure,
            **{
                column: None if self.counts is None else getattr(self.counts, field) for column, field in COUNTS.items()
            },
        }

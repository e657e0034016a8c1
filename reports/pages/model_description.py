"""A trained model in one line of a page, and in the `report.json` beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hnet_core.trained_model import TrainedModel


def model_setting(model: TrainedModel, *parts: str) -> str:
    """Describe stream, components and seed in one line, such as `split digits · 5 tasks · hnet chunked · seed 0`.

    Args:
        parts: what stands between tasks and seed; empty ones are left out.
    """
    stream = model.config.stream.model_dump()
    head = (stream["name"], str(stream.get("dataset", "")), f"· {model.shape.n_tasks} tasks ·")
    return " ".join(part for part in (*head, *parts, f"· seed {model.seed}") if part)


def model_json(model: TrainedModel) -> dict[str, Any]:
    """Return configuration and seed of a model for `report.json`."""
    return {
        "config_hash": model.config.hash(),
        "config": model.config.model_dump(mode="json"),
        "seed": model.seed,
    }

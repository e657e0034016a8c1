"""Small trial configurations on the digits images, for tests."""

from __future__ import annotations

from typing import Any

from hnet_core.config_validation import parse_trial
from hnet_core.trial import TrialConfig

TINY: dict[str, Any] = {
    "stream": {"name": "split", "dataset": "digits", "n_tasks": 5},
    "method": {"name": "hnet", "beta_output": 0.01},
    "target": {"name": "mlp", "hidden": [12]},
    "hypernet": {"name": "chunked", "hidden": [6], "task_embedding": 4, "chunk_embedding": 3, "chunk_size": 100},
    "training": {"iterations": 8, "batch_size": 16, "lr": 0.01},
}


def tiny(**changes: Any) -> TrialConfig:
    """Return TINY with blocks changed: `tiny(method={"name": "joint"}, training={"iterations": 2})`.

    A value, or a block with a new name, replaces what was there; any other block is merged into it.
    """
    content = {**TINY}
    for block, values in changes.items():
        old = content.get(block) or {}
        replaces = not isinstance(values, dict) or ("name" in values and values["name"] != old.get("name"))
        content[block] = values if replaces else {**old, **values}
    return parse_trial(content)

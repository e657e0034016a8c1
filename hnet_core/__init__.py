"""The training core: a checked configuration and a seed give a raw result; no files, no globals, no SQL.

Example:
    >>> import hnet_core
    >>> config = hnet_core.parse_trial({
    ...     "stream": {"name": "split", "dataset": "digits", "n_tasks": 2},
    ...     "method": {"name": "finetune"},
    ...     "target": {"name": "mlp", "hidden": [10]},
    ...     "training": {"iterations": 5},
    ... })
    >>> result = hnet_core.run_trial(config, seed=0)
    >>> len(result.test)
    2
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hnet_core.config_validation import parse_trial
    from hnet_core.errors import HnetError
    from hnet_core.trained_model import load
    from hnet_core.training import run_trial
    from hnet_core.trial import TrialConfig, TrialResult

__all__ = ["HnetError", "TrialConfig", "TrialResult", "load", "parse_trial", "run_trial"]

_MODULES = {
    "HnetError": "errors",
    "TrialConfig": "trial",
    "TrialResult": "trial",
    "load": "trained_model",
    "parse_trial": "config_validation",
    "run_trial": "training",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: `import hnet_core` needs neither torch nor pydantic."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""The kind of batch normalisation that fits a method, and configurations of earlier versions in which it did not.

Running statistics belong to the weights they were gathered with. Kept apart for each task, they are right only while
the network of a task stays as it was; weights that move on need one set that moves on with them. The code of von Oswald
et al. (2020) names the effect of the wrong kind: the accuracy on old tasks falls to chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hnet_core.configuration.method_properties import keeps_networks, separate_networks
from hnet_core.options import ComponentOptions
from hnet_core.registry import METHODS, TARGETS


def with_normalization(target: ComponentOptions, method: ComponentOptions) -> ComponentOptions:
    """Return the options of a target network with the normalisation that `auto` stands for.

    It is `task` for a method that keeps the network of every task, else `running`. Where every task has a network of
    its own from the start, `running` means the same as `task`.
    """
    asked = getattr(target, "normalization", None)
    if asked == "auto":
        chosen = "task" if keeps_networks(method) or not _normalizes(target) else "running"
    elif asked == "running" and separate_networks(method):
        chosen = "task"
    else:
        return target
    return target.model_copy(update={"normalization": chosen})


def outlived_statistics(target: ComponentOptions, method: ComponentOptions) -> str | None:
    """Return the reason why statistics per task do not fit the method; None if they do or there are none."""
    of_tasks = getattr(target, "normalization", None) == "task" and _normalizes(target)
    if not of_tasks or keeps_networks(method) or METHODS[method.name].trains_all_tasks_at_once:
        return None
    return (
        "changes the weights of earlier tasks, so that statistics per task would be of weights that no longer exist; "
        "leave out target.normalization or set it to running"
    )


def _normalizes(target: ComponentOptions) -> bool:
    return bool(getattr(TARGETS[target.name], "normalizes", True))


def had_wrong_statistics(config: Mapping[str, Any]) -> str | None:
    """Return what was wrong with the batch normalisation of a stored configuration of an earlier version, or None.

    Until `auto` became the default, `task` was, and old tasks were evaluated with statistics of weights that later
    tasks had changed.
    """
    method, target = config.get("method"), config.get("target")
    if not isinstance(method, Mapping) or not isinstance(target, Mapping):
        return None
    name, normalization = method.get("name"), target.get("normalization")
    moves_on = name in ("finetune", "ewc", "latent_replay") or (
        name in ("hnet", "partial_hnet") and method.get("beta_output") == 0
    )
    if target.get("name") in ("mlp", "zenkenet"):  # without normalisation layers
        return None
    if normalization == "task" and moves_on:
        return "earlier tasks were evaluated with the batch statistics of weights that later tasks had changed"
    if normalization == "running" and name == "scratch":
        return "all networks shared the batch statistics of the last one"
    return None

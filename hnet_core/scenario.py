"""The check that a method can learn in the scenario of a configuration."""

from __future__ import annotations

from hnet_core.configuration.method_properties import network_per_task
from hnet_core.errors import UnsupportedTrial
from hnet_core.registry import TASK_INFERENCE
from hnet_core.streams import StreamShape
from hnet_core.trial import TrialConfig


def check_scenario(config: TrialConfig, shape: StreamShape) -> None:
    """Check scenario, method and task inference against each other and the stream.

    Raises:
        UnsupportedTrial: the combination cannot be trained or evaluated.
    """
    if shape.measure == "mse" and config.scenario == "class":
        raise UnsupportedTrial(
            "scenario class needs classes, and this stream is a regression; use task.", key="scenario"
        )
    inference = config.task_inference
    if inference is not None and shape.measure == "mse":
        raise UnsupportedTrial("task_inference needs classes, and this stream is a regression.", key="task_inference")
    if config.scenario != "task" and inference is None and network_per_task(config.method):
        raise UnsupportedTrial(
            f"method {config.method.name} has a network for each task, so scenario {config.scenario} needs a "
            f"task_inference block; add one with name: {', '.join(TASK_INFERENCE)}.",
            key="task_inference",
        )

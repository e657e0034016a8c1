"""Task inference: how the task of an input is found where it is not known; one file per way."""

from hnet_core.task_inference.protocol import InferenceCounts, TaskInference, TaskOutputs

__all__ = ["InferenceCounts", "TaskInference", "TaskOutputs"]

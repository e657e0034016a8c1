"""Streams of tasks: one file per kind of stream."""

from hnet_core.streams.stream import Split, Stream, StreamShape, Task

__all__ = ["Split", "Stream", "StreamShape", "Task"]

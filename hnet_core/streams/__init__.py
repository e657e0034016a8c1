"""Streams of tasks: one file per kind of stream."""

from hnet_core.streams.stream import NamedStream, Split, Stream, StreamShape, Task

__all__ = ["NamedStream", "Split", "Stream", "StreamShape", "Task"]

"""The command `hnet`."""

from sweeps.cli.command_line import app, main

__all__ = ["app", "main"]

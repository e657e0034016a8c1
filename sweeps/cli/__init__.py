"""The command `hnet`."""

from sweeps.cli.command_line import main
from sweeps.cli.root import app

__all__ = ["app", "main"]

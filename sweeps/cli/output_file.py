"""The check of an output file before a long computation, so that its result is not lost."""

from __future__ import annotations

from pathlib import Path

from hnet_core.errors import ConfigInvalid
from studies.output.output_file import check_holds_no_database


def check_writable(path: Path | None, option: str) -> None:
    """Check that a file can be written, and leave it as it is; None is standard output.

    Args:
        option: the option that named it, for the error.

    Raises:
        ConfigInvalid: its folder does not exist, it may not be written, or it is a database.
    """
    if path is None or path.is_fifo() or path.is_char_device():  # opening a pipe would end its reader
        return
    check_holds_no_database(path, option)
    is_new = not path.exists()
    target = path.resolve()
    try:
        with target.open("ab"):
            pass
    except OSError as error:
        raise ConfigInvalid(f"{option} must name a file that can be written, got {path}: {error.strerror}.") from None
    if is_new:
        target.unlink()

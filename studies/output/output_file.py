"""Check of a file that is about to be written: it holds no database."""

from __future__ import annotations

from pathlib import Path

from hnet_core.errors import ConfigInvalid

_HEADER_BYTES = 100  # of a SQLite file; a shorter one holds nothing


def check_holds_no_database(path: Path, option: str) -> None:
    """Refuse to write over a SQLite database, such as the one that --db names.

    Args:
        option: the option that named the file, for the error.

    Raises:
        ConfigInvalid: if the file is a database.
    """
    try:
        if not path.is_file() or path.stat().st_size < _HEADER_BYTES:
            return
    except OSError:
        return  # writing it says why
    from studies.database.connections import is_sqlite_file

    if is_sqlite_file(path):
        raise ConfigInvalid(
            f"{option} must not name a database, got {path}, which is left as it is; name another file."
        )

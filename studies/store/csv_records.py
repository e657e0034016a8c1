"""Records of a file of values separated by commas, semicolons or tabs: its encoding, its delimiter, its lines.

Differs from the csv module: blanks around a value that is not in quotes do not count, the first line decides the
delimiter, and every error names the line.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Collection, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from hnet_core.errors import ConfigInvalid, NotFound
from studies.database.connections import is_sqlite_file

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
MAX_RECORD_LENGTH = 1 << 20  # characters; a quote that is never closed must not swallow the whole file
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GZIP = b"\x1f\x8b"


class Records:
    """The records of an open file; iterating gives `(line, values)` of each after the header, line from 1.

    Attributes:
        header: the values of the first line.
        delimiter: what separates the values.
        size: bytes of the file.

    Args:
        name: file name for errors.
        columns: names the header should have; the delimiter is the one by which most of them are found.

    Raises:
        ConfigInvalid: also while iterating, if the file is not text, a record is longer than 1 MiB, has another number
            of values than the header, or has text behind a value in quotes.
    """

    def __init__(self, name: str, file: BinaryIO, columns: Collection[str]) -> None:
        self._name = name
        self._bytes = file
        self.size = os.fstat(file.fileno()).st_size
        start = file.read(100)
        file.seek(0)
        encoding = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), "utf-8")
        if start.startswith(_GZIP):
            raise ConfigInvalid(f"{name} must be text in UTF-8, got a gzip archive; unpack it first (gunzip).")
        if encoding != "utf-16" and b"\0" in start:
            raise ConfigInvalid(
                f"{name} must be text in UTF-8, got zero bytes: no text, or UTF-16 without a mark; save it as UTF-8."
            )
        errors = "strict" if encoding == "utf-16" else "surrogateescape"
        self._file = TextIOWrapper(file, encoding, errors, newline="")
        self._line = 0
        first = self._next_line().lstrip("\ufeff")
        self.delimiter = max(DELIMITERS, key=lambda delimiter: self._n_known(first, delimiter, columns))
        header = _quoted_values(first, self.delimiter, f"{name}:1")
        if header is None:
            raise ConfigInvalid(f"{name}:1: a value that begins with a quote must end with one.")
        self.header = header

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while line := self._next_line():
            if not line.replace(self.delimiter, "").strip():  # spreadsheets write rows of nothing behind the last one
                continue
            at = self._line
            values = self._whole_record(line, self.delimiter)
            if len(values) != len(self.header):
                raise ConfigInvalid(
                    f"{self._name}:{at}: must have as many values as there are columns, {len(self.header)}, "
                    f"got {len(values)}."
                )
            yield at, values

    def bytes_read(self) -> int:
        return self._bytes.tell()

    @staticmethod
    def _n_known(header: str, delimiter: str, columns: Collection[str]) -> int:
        try:
            return len({*columns} & {*(_quoted_values(header, delimiter, "") or ())})
        except ConfigInvalid:  # quotes that do not end at this delimiter
            return -1

    def _next_line(self) -> str:
        try:
            line = self._file.readline(MAX_RECORD_LENGTH)
        except UnicodeDecodeError as error:
            raise ConfigInvalid(
                f"{self._name}:{self._line + 1}: must be text in UTF-8, got UTF-16 that is cut: {error.reason}."
            ) from None
        self._line += 1
        if len(line) == MAX_RECORD_LENGTH:
            raise ConfigInvalid(f"{self._name}:{self._line}: must be shorter than {MAX_RECORD_LENGTH:,} characters.")
        if not line.isascii() and (wrong := re.search("[\udc80-\udcff]", line)):
            byte = ord(wrong[0]) - 0xDC00
            raise ConfigInvalid(
                f"{self._name}:{self._line}: must be text in UTF-8, got the byte 0x{byte:02X} (Latin-1?); "
                "save it as UTF-8."
            )
        if "\0" in line:
            raise ConfigInvalid(f"{self._name}:{self._line}: must be text in UTF-8, got a zero byte; save it as UTF-8.")
        return line

    def _whole_record(self, line: str, delimiter: str) -> list[str]:
        """The values of the record that begins with this line: further lines are read where a quote is open."""
        if '"' not in line:
            return [value.strip() for value in line.split(delimiter)]
        at = self._line
        values = _quoted_values(line, delimiter, f"{self._name}:{at}")
        while values is None:
            more = self._next_line()
            line += more
            if not more or len(line) > MAX_RECORD_LENGTH:
                raise ConfigInvalid(f"{self._name}:{at}: a value that begins with a quote must end with one.")
            if more.count('"') % 2:  # an even number of them cannot close it
                values = _quoted_values(line, delimiter, f"{self._name}:{at}")
        return values


_OPENING = re.compile(r'[ \t]*"')
_QUOTED = re.compile(r'[ \t]*"([^"]*(?:""[^"]*)*)"(?!")')


def _quoted_values(text: str, delimiter: str, place: str) -> list[str] | None:
    """The values of one record, None where a quote is not closed yet."""
    values: list[str] = []
    start, end = 0, -1
    while end < len(text):
        end = _next(text, delimiter, start)
        opening = _OPENING.match(text, start, end)
        if opening is None:
            values.append(text[start:end].strip())
        else:
            quoted = _QUOTED.match(text, start)
            if quoted is None:
                return None
            values.append(quoted[1].replace('""', '"'))
            end = _next(text, delimiter, quoted.end())
            if behind := text[quoted.end() : end].strip():
                raise ConfigInvalid(f"{place}: a value in quotes must end where its quotes do, got {behind[:20]!r}.")
        start = end + 1
    return values


def _next(text: str, delimiter: str, start: int) -> int:
    """Return the position of the next delimiter, or the end of the text."""
    found = text.find(delimiter, start)
    return len(text) if found < 0 else found


def check_is_text(path: Path) -> None:
    """Refuse what is no text file, before it is opened as one.

    A SQLite database is opened by SQLite alone: closing any other descriptor drops the locks of this process on it.

    Raises:
        NotFound: if there is no such file.
        ConfigInvalid: if it is empty, or a SQLite database.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise ConfigInvalid(f"a CSV of results must be a file, got {path}.")
    except FileNotFoundError:
        raise NotFound(f"{path}: no such file.") from None
    except OSError as error:
        raise ConfigInvalid(
            f"a CSV of results must be a text file that can be read, got {path}: {error.strerror}."
        ) from None
    if size <= 1:  # SQLite makes an empty file when it begins a database
        raise ConfigInvalid(f"{path.name} must hold at least one row of results, got an empty file.")
    if is_sqlite_file(path):
        raise ConfigInvalid(f"{path.name} must be a text file, got a SQLite database; import it under a name of one.")

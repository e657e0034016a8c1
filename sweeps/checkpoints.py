"""Stores for the checkpoints of running trials: a folder, an object store by its URI, or the driver's memory."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

from hnet_core.errors import ConfigInvalid

SUFFIX = ".pt"


class Checkpoints(Protocol):
    """The newest checkpoint of each group of seeds of one trial, by name."""

    def read_all(self) -> dict[str, bytes]: ...

    def write(self, name: str, content: bytes) -> None: ...


def open_checkpoints(location: str) -> Checkpoints:
    """Return the store at a path or URI."""
    return ObjectStore(location) if "://" in location else Folder(Path(location))


class Folder:
    """Files in a local or shared folder; each write is atomic."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_all(self) -> dict[str, bytes]:
        return {path.stem: path.read_bytes() for path in self._folder.glob(f"*{SUFFIX}")}

    def write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{name}{SUFFIX}"
        partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)


class ObjectStore:
    """Objects below a URI (s3://, gs://, hdfs://, file://), by pyarrow, which comes with Ray."""

    def __init__(self, location: str) -> None:
        self._files, self._folder = _filesystem(location)

    def read_all(self) -> dict[str, bytes]:
        from pyarrow import fs

        found = {}
        for info in self._files.get_file_info(fs.FileSelector(self._folder, allow_not_found=True)):
            if info.path.endswith(SUFFIX):
                with self._files.open_input_stream(info.path) as stream:
                    found[info.base_name.removesuffix(SUFFIX)] = bytes(stream.read())
        return found

    def write(self, name: str, content: bytes) -> None:
        self._files.create_dir(self._folder, recursive=True)
        path = f"{self._folder}/{name}{SUFFIX}"
        partial = f"{path}.{os.getpid()}.tmp"
        with self._files.open_output_stream(partial) as stream:
            stream.write(content)
        self._files.move(partial, path)


class InMemory:
    """Checkpoints in the memory of a worker: received with the job, sent back with the next message.

    Attributes:
        unsent: name and content written last; None once taken.
    """

    def __init__(self, saved: dict[str, bytes]) -> None:
        self._saved = dict(saved)
        self.unsent: tuple[str, bytes] | None = None

    def read_all(self) -> dict[str, bytes]:
        return dict(self._saved)

    def write(self, name: str, content: bytes) -> None:
        self._saved[name] = content
        self.unsent = (name, content)

    def take_unsent(self) -> tuple[str, bytes] | None:
        taken, self.unsent = self.unsent, None
        return taken


def remove(location: str) -> None:
    """Delete the checkpoints of a trial or a study, if there are any."""
    if "://" in location:
        files, folder = _filesystem(location)
        with contextlib.suppress(OSError):
            files.delete_dir(folder)
    else:
        shutil.rmtree(location, ignore_errors=True)


def remove_others(location: str, kept: Collection[str]) -> None:
    """Delete the checkpoints of all trials of a study but these; the folder too if none is left."""
    if not kept:
        remove(location)
    elif "://" in location:
        from pyarrow import fs

        files, folder = _filesystem(location)
        for info in files.get_file_info(fs.FileSelector(folder, allow_not_found=True)):
            if info.base_name not in kept:
                remove(f"{location}/{info.base_name}")
    else:
        for path in Path(location).glob("*"):
            if path.name not in kept:
                remove(str(path))


def prepare(location: str) -> str:
    """Check that a study's checkpoints can be written, and return the location with an absolute path.

    Raises:
        ConfigInvalid: if the location is not writable.
    """
    try:
        if "://" not in location:
            location = str(Path(location).expanduser().absolute())
        open_checkpoints(f"{location}/probe").write("probe", b"")
        remove(f"{location}/probe")
        return location
    except OSError as error:
        raise ConfigInvalid(
            f"checkpoints must go to a folder that can be written, got {location} ({error.strerror or error}); "
            "name another one with --storage."
        ) from None


def to_bytes(checkpoint: dict[Any, Any]) -> bytes:
    import torch

    content = io.BytesIO()
    torch.save(checkpoint, content)
    return content.getvalue()


def from_bytes(content: bytes) -> dict[Any, Any]:
    """Load a checkpoint safely: no code in it can run."""
    import torch

    checkpoint: dict[Any, Any] = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    return checkpoint


def _filesystem(location: str) -> tuple[Any, str]:
    from pyarrow import ArrowInvalid, fs

    try:
        files, folder = fs.FileSystem.from_uri(location)
    except (ArrowInvalid, OSError) as error:
        why = str(error).splitlines()[0]
        raise ConfigInvalid(
            f"--storage must be a path or a URI such as s3://bucket/folder, got {location!r}: {why}."
        ) from None
    return files, folder

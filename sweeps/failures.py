"""Classification of exceptions: a failure of one trial, of its worker, or of what every trial depends on."""

from __future__ import annotations

import errno
import socket
import traceback
from typing import Literal

from hnet_core.errors import DatasetCorrupt, DatasetMissing, HnetError
from sweeps.jobs import Failure

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def failure_of(error: Exception) -> Failure:
    """Describe an exception as the failure of a trial, with its traceback."""
    name = "" if isinstance(error, HnetError) else f"{type(error).__name__}: "
    node = f" (on node {socket.gethostname()})" if _kind(error) == "environment" else ""
    return Failure(f"{name}{_last_line(error)}{node}", _traceback(error), _kind(error))


def ends_sweep(error: Exception) -> bool:
    """Return whether an exception of the driver concerns every trial: the database, the lease, a disk or the data.

    Any other, such as a value that the database refuses, concerns the trial it came with.
    """
    from studies.store.store import LeaseLost, TrialFinished

    # A row that is finished or of a newer attempt shows another driver at work.
    of_every_trial = (LeaseLost, TrialFinished, DatasetCorrupt)
    return isinstance(error, of_every_trial) or _kind(error) == "environment" or is_outage(error)


def is_outage(error: Exception) -> bool:
    """Return whether an error of a database call comes from a database that cannot be used now, not from its values."""
    from optuna.exceptions import StorageInternalError

    from studies.database.connections import DatabaseUnreachable, refuses_values

    if isinstance(error, StorageInternalError):  # Optuna's error for any error of SQLAlchemy
        return not refuses_values(error.__cause__)
    return isinstance(error, DatabaseUnreachable)


def _kind(error: Exception) -> Literal["trial", "worker", "environment"]:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, of a GPU
        return "worker"
    if isinstance(error, DatasetMissing) or (isinstance(error, OSError) and error.errno in _DISK_ERRORS):
        return "environment"
    return "trial"


def _last_line(error: Exception) -> str:
    try:
        return (str(error).strip() or type(error).__name__).splitlines()[-1]
    except Exception as broken:  # an exception class of a plug-in may fail to print itself
        return f"(its text cannot be read: {type(broken).__name__})"


def _traceback(error: Exception) -> str | None:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return None

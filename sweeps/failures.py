"""Classification of exceptions: a failure of one trial, of its worker, or of what every trial depends on."""

from __future__ import annotations

import errno
import re
import socket
import traceback

from hnet_core.errors import DatasetCorrupt, DatasetMissing, HnetError
from hnet_core.runtime.devices import NoGpu
from sweeps.jobs import Failure, FailureKind
from sweeps.memory_requests import impossible_request, is_failed_allocation

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
# "CUDA error: device-side assert triggered", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "CUDA error:
# CUBLAS_STATUS_EXECUTION_FAILED when calling ...", "CUDA driver error: ...", "HIP error: ..."
_GPU_ERROR = re.compile(
    r"\b(CUDA|HIP)( driver)? error\b|\bcuDNN error\b|\bCU(BLAS|DNN|SPARSE|SOLVER|FFT)_(STATUS_)?\w+"
)


def failure_of(error: Exception) -> Failure:
    """Describe an exception as the failure of a trial, with its traceback."""
    text, kind = _text(error), _kind(error)
    name = "" if isinstance(error, HnetError) else f"{type(error).__name__}: "
    impossible = impossible_request(text) if kind == "worker" else None
    if impossible is not None:  # in another process it would fail again
        return Failure(impossible, _traceback(error), "trial")
    # torch adds advice about debugging after the first line of an error of the GPU.
    line = text.splitlines()[0 if _is_of_gpu(text) else -1]
    node = f" (on node {socket.gethostname()})" if kind == "environment" else ""
    return Failure(f"{name}{line}{node}", _traceback(error), kind)


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


def _kind(error: Exception) -> FailureKind:
    text = _text(error)
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"  # torch's, of a GPU
    if out_of_memory or (isinstance(error, RuntimeError) and (_is_of_gpu(text) or is_failed_allocation(text))):
        return "worker"
    if isinstance(error, (DatasetMissing, NoGpu)) or (isinstance(error, OSError) and error.errno in _DISK_ERRORS):
        return "environment"
    return "trial"


def _is_of_gpu(text: str) -> bool:
    """Return whether an error is of CUDA or one of its libraries, after which a process can use its GPU no more."""
    return _GPU_ERROR.search(text) is not None


def _text(error: Exception) -> str:
    """Text of an error, at least one line."""
    try:
        return str(error).strip() or type(error).__name__
    except Exception as broken:  # an exception class of a plug-in may fail to print itself
        return f"(its text cannot be read: {type(broken).__name__})"


def _traceback(error: Exception) -> str | None:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return None

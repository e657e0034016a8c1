"""Start of Ray on this machine, or its connection to a running cluster.

Internal API of Ray (checked with 2.60.0): `ray._private.utils.set_sigterm_handler`, through which it installs its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ray
import ray._private.utils as ray_utils

from hnet_core.errors import HnetError
from studies.spec.resources import Request
from sweeps.allocation import this_machine
from sweeps.ray_backend.head_address import no_cluster

log = logging.getLogger("hnet")

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no ping home, no prompt
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no csv, json and TensorBoard file per trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # our handler lets the running trials finish
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",  # Tune's own snapshot, which grows with the trials, is never read
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
NICENESS = "RAY_worker_niceness"  # beyond that of this process; Ray's 15 leaves workers no time on a busy machine


def start_ray(requests: Sequence[Request], workers: int, folder: Path) -> None:
    """Start Ray on this machine, with room for the trials of a sweep.

    With a number of workers beyond the CPUs there are, so many train all the same; GPUs are those of this machine.
    Workers have the niceness of this process, unless RAY_worker_niceness is set.

    Args:
        requests: resources of the trials, one for each family.
        folder: for the files of Ray.

    Raises:
        HnetError: its processes do not answer.
    """
    here = this_machine()
    uses_gpu = any(request.gpus != 0 for request in requests)
    options = {
        "num_cpus": max(int(here.cpus), workers * min(one.cpus for one in requests), *(one.cpus for one in requests)),
        "num_gpus": int(here.gpus) if uses_gpu else 0,
        "_memory": int(here.memory),
        "object_store_memory": 200 * 2**20,
        "include_dashboard": False,
        "_temp_dir": str(folder),
    }
    os.environ.setdefault(NICENESS, "0")
    with _own_handlers():
        _start_local(options)


def _start_local(options: dict[str, Any]) -> None:
    """Start Ray here, again where its processes do not answer within its 30 s: the machine is busy.

    Raises:
        HnetError: they did not three times.
    """
    for n_left in (2, 1, 0):
        try:
            ray.init(address="local", **options, **_LOGGING)
        except Exception as error:  # Ray has no class of its own for it
            ray.shutdown()
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            if n_left and "timed out" in why:
                log.warning("Ray does not start in time; trying again.")
                continue
            raise HnetError(
                f"Ray must be able to start its processes here, got: {why} Where the machine is overloaded, start the "
                "same command again: it resumes the study."
            ) from error
        return


def join_ray(address: str) -> None:
    """Join a running cluster.

    Raises:
        ConfigInvalid: it cannot be joined.
    """
    with _own_handlers():
        try:
            ray.init(address=address, **_LOGGING)
        except Exception as error:  # Ray has no common class for what may be wrong with an address
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise no_cluster(address, why) from None


_LOGGING: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}


@contextlib.contextmanager
def _own_handlers() -> Iterator[None]:
    """Keep Ray quiet, and the handlers of signals ours, also while it starts.

    Its handlers in Python raise SystemExit wherever the start has come to, which its native code may answer with an
    abort. Its native ones print stack traces.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    install, ray_utils.set_sigterm_handler = ray_utils.set_sigterm_handler, lambda handler: None
    try:
        yield
    finally:
        ray_utils.set_sigterm_handler = install
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the failure of a trial is in its row

"""Run the smoke variant of every preset by the command line: `python -m perf.presets [NAME ...]`, or `make presets`.

Presets whose images are not below the data root (HNET_DATA) are named, with the reason, and not counted as failures.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hnet_core.errors import NotFound
from sweeps.presets import preset_names

LIMIT = 600.0  # seconds; a smoke run takes two minutes on two free cores


def smoke_run(name: str, folder: Path) -> tuple[int, str]:
    """Run one smoke variant with a database of its own; return the exit code and the last line of its errors."""
    database = folder / f"{name}.db"
    command = [sys.executable, "-m", "sweeps", "sweep", "run", f"{name}:smoke", "--db", str(database)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            errors = process.communicate(timeout=LIMIT)[1]
        except subprocess.TimeoutExpired:
            process.terminate()  # ends its Ray too
            return 1, f"not finished after {LIMIT:g} seconds"
    return process.returncode, (errors.strip().splitlines() or [""])[-1]


def main(names: Sequence[str]) -> int:
    """Run the smoke variants of these presets, of all for none; return 1 if one fails."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names or preset_names():
            start = time.perf_counter()
            code, last_line = smoke_run(name, Path(folder))
            outcome = {0: "ok", NotFound.exit_code: "not run"}.get(code, f"failed ({code})")
            failed += outcome.startswith("failed")
            reason = "" if code == 0 else f"  {last_line}"
            print(f"{name:32} {outcome:10} {time.perf_counter() - start:6.0f} s{reason}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

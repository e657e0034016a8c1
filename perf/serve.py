"""Cost of the pages of `hnet serve` on a large database, from the request to the last byte.

    python -m perf.make_db --trials 100000 --db large.db
    python -m perf.serve --db large.db                    # --chromium CHROMIUM: until the figure is drawn, too

Cold: the first request to a server that has imported everything and read nothing. Warm: the same request again. The
processor seconds hardly depend on the load of the machine, wall seconds do.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import psutil
from starlette.testclient import TestClient

from sweeps.server.application import make_application
from sweeps.server.settings import make_settings

TOKEN = "a-token-for-measurements"
WARM_REQUESTS = 5
SELECTION = quote("0.1 < compression_ratio < 0.3 and final_accuracy > 0.9")


@dataclass(frozen=True)
class PageCost:
    """Cost of one page.

    Attributes:
        cold_s, cold_cpu_s: wall and processor time of the first request.
        warm_s: median wall time of the requests after it.
        kilobytes: size of the page, kB.
    """

    what: str
    cold_s: float
    cold_cpu_s: float
    warm_s: float
    kilobytes: float


def measure(db: str, study: str) -> list[PageCost]:
    """Measure each page on a server of its own."""
    at = f"/studies/{quote(study, safe='')}"
    pages = {
        "studies": "/",
        "study": at,
        "study, selection": f"{at}?where={SELECTION}",
        "study, zoomed": f"{at}?where={SELECTION}&zoom=1",
        "trials, filtered and sorted": f"{at}/trials?where=compression_ratio%20%3C%200.2&sort=-final_accuracy",
        "trial": f"{at}/trials/0",
        "API: trials, 50 rows": f"/api/v1{at}/trials?limit=50",
    }
    return [_measure(db, what, path) for what, path in pages.items()]


def _measure(db: str, what: str, path: str) -> PageCost:
    app = make_application(make_settings(db, read_only=True, token=TOKEN))
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url="http://127.0.0.1:8080", headers=headers) as client:
        client.get("/api")
        gc.freeze()  # as the command does
        start, cpu = time.perf_counter(), time.process_time()
        body = client.get(path).raise_for_status().content
        cold, cold_cpu = time.perf_counter() - start, time.process_time() - cpu
        warm = []
        for _ in range(WARM_REQUESTS):
            start = time.perf_counter()
            client.get(path)
            warm.append(time.perf_counter() - start)
    return PageCost(what, cold, cold_cpu, statistics.median(warm), len(body) / 1000)


@contextlib.contextmanager
def serving(db: str) -> Iterator[tuple[str, psutil.Process]]:
    """Start `hnet serve` on a database; yield its address, without a token, and its process."""
    command = [sys.executable, "-m", "sweeps", "serve", "--db", db, "--port", "0"]
    environment = {**os.environ, "HNET_TOKEN": TOKEN}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "http://" in line)
        try:
            yield "http://" + line.partition("http://")[2].split("/")[0].strip(), psutil.Process(process.pid)
        finally:
            process.terminate()


def seconds_to_figure(db: str, study: str, chromium: str) -> list[float]:
    """Return the seconds from navigation to the drawn figure of a study: of the first visit, then of more."""
    from playwright.sync_api import sync_playwright

    with serving(db) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(extra_http_headers={"authorization": f"Bearer {TOKEN}"})
        page.goto(f"{address}/api")
        seconds = []
        for _ in range(1 + WARM_REQUESTS):
            start = time.perf_counter()
            page.goto(f"{address}/studies/{quote(study, safe='')}", wait_until="commit")
            page.wait_for_selector("figure svg")
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            seconds.append(time.perf_counter() - start)
        browser.close()
    return seconds


def table(costs: list[PageCost]) -> str:
    """Return the costs as a Markdown table."""
    lines = ["| page | cold s | cold CPU s | warm s | kB |", "|---|---|---|---|---|"]
    lines += [f"| {c.what} | {c.cold_s:.2f} | {c.cold_cpu_s:.2f} | {c.warm_s:.3f} | {c.kilobytes:.0f} |" for c in costs]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", required=True)
    parser.add_argument("--study", default="large")
    parser.add_argument("--chromium", help="its executable")
    arguments = parser.parse_args()
    print(table(measure(arguments.db, arguments.study)))
    if arguments.chromium:
        first, *more = seconds_to_figure(arguments.db, arguments.study, arguments.chromium)
        print(f"\nFigure drawn after {first:.2f} s cold, {statistics.median(more):.2f} s warm.")

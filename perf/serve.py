"""Cost of the pages of `hnet serve` on a large database, from the request to the last byte.

    python -m perf.make_db --trials 100000 --db large.db
    python -m perf.serve --db large.db

Cold: the first request to a server that has imported everything and read nothing. Warm: the same request again. The
processor seconds hardly depend on the load of the machine, wall seconds do.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from urllib.parse import quote

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
    app = make_application(make_settings(db, "127.0.0.1", 8080, None, True, TOKEN, None, ""))
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url="http://127.0.0.1:8080", headers=headers) as client:
        client.get("/api")
        start, cpu = time.perf_counter(), time.process_time()
        body = client.get(path).raise_for_status().content
        cold, cold_cpu = time.perf_counter() - start, time.process_time() - cpu
        warm = []
        for _ in range(WARM_REQUESTS):
            start = time.perf_counter()
            client.get(path)
            warm.append(time.perf_counter() - start)
    return PageCost(what, cold, cold_cpu, statistics.median(warm), len(body) / 1000)


def table(costs: list[PageCost]) -> str:
    """Return the costs as a Markdown table."""
    lines = ["| page | cold s | cold CPU s | warm s | kB |", "|---|---|---|---|---|"]
    lines += [f"| {c.what} | {c.cold_s:.2f} | {c.cold_cpu_s:.2f} | {c.warm_s:.3f} | {c.kilobytes:.0f} |" for c in costs]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", required=True)
    parser.add_argument("--study", default="large")
    arguments = parser.parse_args()
    print(table(measure(arguments.db, arguments.study)))

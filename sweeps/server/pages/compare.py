"""The page that compares studies or trials: verdicts with intervals, means, differing settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from hnet_core.errors import ConfigInvalid, HnetError
from reports.data.study_data import outdated_results
from reports.drawing.forest_plot import ForestLine, forest_plot
from reports.figures.quality_axis import interval_ends
from reports.formatting import mean_text, range_text, significant, told_apart
from reports.pages.render import short
from studies.comparing.comparability import differences
from studies.comparing.configurations import Configuration, compare, find_configuration
from studies.metrics.definitions import METRICS, VARYING
from studies.spec.setting_text import setting_text
from studies.statistics.interval import Interval
from studies.statistics.intervals import few_seeds_remark
from sweeps.server.query_parameters import check_names, decimal, text
from sweeps.server.rendering import Pages
from sweeps.server.service import Service

MAX_SIDES = 12


def page(request: Request) -> Response:
    """Compare the sides of the address, or ask for them."""
    check_names(request, ["side", "metric", "margin"])
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    sides = [side for each in request.query_params.getlist("side") for side in each.split("\n") if side.strip()]
    sides = list(dict.fromkeys(side.strip() for side in sides))
    if len(sides) > MAX_SIDES:
        raise ConfigInvalid(f"at most {MAX_SIDES} sides can be compared on a page, got {len(sides)}.")
    metric, margin = text(request, "metric") or "final_accuracy", decimal(request, "margin")
    version = service.changes.of_all()
    return pages.respond(request, version, "compare.html.j2", lambda: _content(service, sides, metric, margin, version))


def _content(service: Service, sides: Sequence[str], metric: str, margin: float | None, version: str) -> dict[str, Any]:
    names = service.studies.names()
    form = {
        "sides": sides, "metric": metric, "margin": margin, "names": names, "metrics": list(VARYING),
        "live": {"study": None, "seen": version}, "problem": None, "rows": [], "means": [], "settings": [],
        "labels": [], "drawing": None, "remark": None, "significant": significant,
    }  # fmt: skip
    if not sides:
        return form
    try:
        found = [find_configuration(service.studies, side) for side in sides]
        rows = compare(service.studies, found, metric, margin)
    except HnetError as error:
        return form | {"problem": str(error)}
    labels = [str(each) for each in found]
    return form | {
        "rows": [_row(row) for row in rows],
        "means": _means(rows),
        "labels": labels,
        "outdated": [
            f"{short(name)}: {fault}"
            for name in dict.fromkeys(one.study for one in found)
            for fault in outdated_results(service.studies, name)
        ],
        "settings": _settings(found),
        "drawing": _drawing(rows, metric, margin),
        "remark": few_seeds_remark(row[side]["n"] for row in rows for side in ("mean_a", "mean_b")),
        "label": METRICS[metric].label,
    }


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    difference = None if row["difference"] is None else Interval(**row["difference"])
    return {
        **row,
        "difference_text": "–" if difference is None else mean_text(difference),
        "range_text": "–" if difference is None else range_text(difference),
        "n": None if difference is None else difference.n,
    }


def _means(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """List the mean of each side once."""
    found = {row[side]: Interval(**row[f"mean_{side}"]) for row in rows for side in ("a", "b")}
    return [{"side": side, "mean": mean_text(one), "range": range_text(one), "n": one.n} for side, one in found.items()]


def _settings(found: Sequence[Configuration]) -> list[tuple[str, list[str]]]:
    """List the settings in which any two sides differ, with the value of each side."""
    keys: dict[str, None] = {}
    for a, b in combinations(found, 2):
        keys |= dict.fromkeys(row["key"] for row in differences(a.config, b.config))
    flat = [{row["key"]: row["a"] for row in differences(one.config, {})} for one in found]
    return [(key, [setting_text(each.get(key)) for each in flat]) for key in keys]


def _drawing(rows: Sequence[Mapping[str, Any]], metric: str, margin: float | None) -> Markup | None:
    known = [row for row in rows if row["difference"] is not None and row["difference"]["mean"] is not None]
    if not known:
        return None
    short = told_apart([row[side] for row in known for side in ("a", "b")], 28)
    lines = [_line(row, short) for row in known]
    ends = ("B better", "A better") if METRICS[metric].better == "higher" else ("A better", "B better")
    text = "; ".join(f"{row['a']} against {row['b']}: {row['verdict']}" for row in known[:3])
    caption = "Mean of A minus mean of B with the interval that decides, Holm-adjusted for all pairs here."
    return forest_plot("differences", lines, f"A − B, {METRICS[metric].label.lower()}", text, caption, margin, ends)


def _line(row: Mapping[str, Any], short: Mapping[str, str]) -> ForestLine:
    gap = Interval(**row["difference"])
    assert gap.mean is not None
    mark = "unknown"
    if row["verdict"].startswith("A better"):
        mark = "better"
    elif row["verdict"].startswith("B better"):
        mark = "worse"
    elif "equivalent" in row["verdict"]:
        mark = "same"
    title = f"{row['a']} against {row['b']}: {row['verdict']}"
    label = (short[row["a"]], short[row["b"]])
    return ForestLine(label, gap.mean, gap.low, gap.high, mark, title, tuple(interval_ends([gap])))

"""The page of one study: front, selection, parameters, running and failed trials, coverage, provenance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.analysis.machines import machines_remark
from reports.analysis.main_effects import main_effects
from reports.analysis.provenance import paper_check, provenance
from reports.analysis.recommendation import SPARSITY_REMARK, has_mask_sparsity
from reports.analysis.search_progress import search_progress
from reports.analysis.trial_outcomes import MEANINGS, group_reasons
from reports.data.study_data import StudyData, is_varied, trials_of
from reports.data.study_map import MAX_POINTS, StudyMap, read_some
from reports.drawing.color_scale import color_legend
from reports.figures.parameter_panels import parameter_panels
from reports.figures.point_texts import point_texts
from reports.figures.search_progress import progress_figures
from reports.figures.study_map import caption, finding, map_figure
from reports.figures.trial_outcomes import outcomes_bar
from reports.tables.front import front_table
from studies.metrics.cost_axes import COST_AXES, CostAxis, axis_of_objectives, cost_axis
from studies.metrics.definitions import METRICS
from studies.queries.row_selection import Rows
from sweeps.server.overview import Overview, best_of, overview
from sweeps.server.pages.running import live_of, running_content, starting_page
from sweeps.server.pages.trials import table_of
from sweeps.server.query_parameters import check_names, decimal, flag, study_name, text
from sweeps.server.rendering import Pages
from sweeps.server.selection import Range, code_of, command_of, front_command_of, narrowed, report_command_of
from sweeps.server.service import STARTING, Service

MAX_SAMPLE = 600
MAX_FAILURES = 20
MAX_REASONS = 2000
TOP = 10


@dataclass(frozen=True)
class View:
    """The part of a study that an address asks for.

    Attributes:
        where: condition on the trials that are selected; None: all.
        is_zoomed: the figure is drawn around the selection.
        x: the cost that quality is traded for, which then decides the front too; None: as the study has it.
    """

    where: str | None
    is_zoomed: bool
    x: str | None


def page(request: Request) -> Response:
    """Show one study, or the part of it that `where` selects, over the cost `x`."""
    check_names(request, ["where", "x", "zoom", "x0", "x1", "y0", "y1"])
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    name = study_name(request)
    version = service.live_version(name)
    if version.startswith(STARTING):
        return starting_page(request, name, version)
    view = View(text(request, "where"), flag(request, "zoom"), text(request, "x"))
    if view.x is not None:
        cost_axis(view.x)  # raises if it is none
    bounds = {key: decimal(request, key) for key in ("x0", "x1", "y0", "y1")}
    if any(bound is not None for bound in bounds.values()):
        map = service.map(name, view.x)
        costs, qualities = Range(bounds["x0"], bounds["x1"]), Range(bounds["y0"], bounds["y1"])
        where = narrowed(view.where, map.x, costs, map.quality.final, qualities)
        zoom = "1" if view.is_zoomed else None
        return RedirectResponse(pages.addresses.study(name, where=where, x=view.x, zoom=zoom), 303)
    return pages.respond(request, version, "study.html.j2", lambda: _content(service, pages, name, version, view))


def _content(service: Service, pages: Pages, name: str, version: str, view: View) -> dict[str, Any]:
    where, x = view.where, view.x
    found = overview(service, name)
    map = service.map(name, x)
    matching = None if where is None else service.matching(name, where)
    selected = None if matching is None else map.among(matching)
    chosen = np.ones(len(map), dtype=bool) if selected is None else selected
    drawn = _drawn(map, chosen, view.is_zoomed)
    data = read_some(service.studies, map, drawn)
    points = point_texts(data, {trial.number for trial in data.configurations})
    db, labels = service.settings.db, service.studies.labels(name)
    return {
        **running_content(service, name, found),
        "best": found.best if x is None else best_of(service, name, x),
        "outdated": found.outdated,
        "note": labels.note,
        "tags": labels.tags,
        "archived": labels.archived_at is not None,
        "where": where or "",
        "x": x or "",
        "costs": _costs(map),
        "zoom": view.is_zoomed,
        "n_matching": None if matching is None else len(matching),
        "n_selected": int(chosen.sum()),
        "map": map,
        "figure": map_figure(map, data, selected, is_zoomed=view.is_zoomed) if len(map) else None,
        "finding": finding(map, selected),
        "caption": caption(map, data),
        "remarks": _remarks(data),
        "front": _front(map, data, chosen),
        "command": command_of(name, db, where),
        "code": code_of(name, db, where),
        "front_command": front_command_of(name, db, where, x),
        "report_command": report_command_of(name, db, x),
        "why_none": None if map.on_front.any() else service.studies.choice(name, x).why_none,
        "top": table_of(service, name, _best(map, chosen)),
        "sort": _best_first(map),
        "bound_unit": _bound_unit(map.x),
        **_parameters(service, map, chosen),
        **_coverage(service, name, found),
        "progress_figures": progress_figures(search_progress(service.map(name))),
        "made": provenance(data),
        "paper": paper_check(map.record.spec),
        "hover": {**points, "page": pages.addresses.study(name) + "/trials/NUMBER"},
        "live": live_of(pages, name, version),
    }


def _costs(map: StudyMap) -> dict[str, str]:
    """Return the text of every choice of the cost by its value in the address, "" for the cost that the study has."""
    names = Counter(axis.name for axis in COST_AXES.values())
    labels = {
        metric: axis.name.capitalize() if names[axis.name] == 1 else METRICS[metric].label
        for metric, axis in COST_AXES.items()
    }
    own = axis_of_objectives(map.record.objectives)
    return {"": f"{labels[own.metric]}, as in the study", **labels}


def _remarks(data: StudyData) -> list[str]:
    """List what a careful reader of the axis must know, in the words of the report."""
    remarks = [SPARSITY_REMARK] if data.x.is_storage and has_mask_sparsity(data) else []
    machines = machines_remark(data.x, data.machines)
    return remarks if machines is None else [*remarks, machines]


def _bound_unit(x: CostAxis) -> str:
    """Return the unit of bounds on a cost, which are written as in a condition: in the unit that is stored."""
    return "bytes" if x.unit_size != 1 else x.unit


def _drawn(map: StudyMap, chosen: NDArray[np.bool_], is_zoomed: bool) -> NDArray[np.bool_]:
    """Choose the points drawn one by one: all of a small study, else the selection and the front around it."""
    if len(map) <= MAX_POINTS:
        return np.ones(len(map), dtype=bool)
    points = map.worth_drawing(chosen)
    return points if is_zoomed else points | map.on_front


def _front(map: StudyMap, data: StudyData, chosen: NDArray[np.bool_]) -> Any:
    members = set(map.numbers[map.on_front & chosen].tolist())
    front = tuple(trial for trial in data.front if trial.number in members)
    if not front:
        return None
    return front_table(StudyData(
        data.record, data.quality, data.parameters, front, front, data.feasible, front, x=data.x,
        is_front_of_axis=data.is_front_of_axis,
    ))  # fmt: skip


def _best(map: StudyMap, chosen: NDArray[np.bool_]) -> list[int]:
    """Return the numbers of the best configurations of a selection, the best first."""
    places = np.flatnonzero(chosen)
    order = np.lexsort((map.numbers[places], map.losses[places]))[:TOP]
    numbers: list[int] = map.numbers[places[order]].tolist()
    return numbers


def _best_first(map: StudyMap) -> str:
    return f"-{map.quality.final}" if map.quality.higher_is_better else map.quality.final


def _parameters(service: Service, map: StudyMap, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    """Draw the selection by parameter; of a large one an even sample."""
    none: dict[str, Any] = {"panels": None, "sampled": None, "colors": []}
    if not chosen.any() or not map.record.searched:
        return none
    sample = map.evenly(chosen, MAX_SAMPLE)
    data = read_some(service.studies, map, sample)
    effects = {name: main_effects(data, name) for name in data.parameters if is_varied(data, name)}
    if not effects:
        return none
    is_sample = bool(sample.sum() < chosen.sum())
    return {
        "panels": parameter_panels(data, effects),
        "sampled": (int(sample.sum()), int(chosen.sum())) if is_sample else None,
        "colors": color_legend(data.x, data.cost_ends),
    }


def _coverage(service: Service, name: str, found: Overview) -> dict[str, Any]:
    own, states = found.counts.own, found.counts.states
    counts = {
        "complete": own["COMPLETE"],
        "duplicate": found.counts.duplicates - found.counts.duplicates_by_state["RUNNING"],
        "pruned": own["PRUNED"],
        "failed": own["FAILED"],
        "skipped": own["SKIPPED"],
        "running": states["RUNNING"],
        "not started": max(0, (found.planned or 0) - found.done - states["RUNNING"]),
    }
    counts = {outcome: count for outcome, count in counts.items() if count}
    columns = ["number", "state", "reason", "duplicate_of", "n", "params"]
    rows, failures = Rows(columns, []), Rows(["number", "reason"], [])
    if states["FAILED"] + states["PRUNED"] + states["SKIPPED"]:
        without = "state in ['FAILED', 'PRUNED', 'SKIPPED']"
        rows = service.studies.trial_rows(name, where=without, limit=MAX_REASONS, columns=columns)
    if states["FAILED"]:
        failures = service.studies.trial_rows(
            name, where="state == 'FAILED'", sort="-finished_at", limit=MAX_FAILURES, columns=failures.columns
        )
    return {
        "outcomes": counts,
        "outcomes_bar": outcomes_bar(counts) if counts else "",
        "meanings": MEANINGS,
        "reasons": group_reasons(trials_of(rows, ())),
        "failures": [
            {"number": number, "reason": reason, "traceback": service.studies.trial(name, number)["traceback"]}
            for number, reason in failures.values
        ],
        "seeds": sorted(Counter(service.map(name).seeds.tolist()).items(), reverse=True),
    }

"""The trade-off report as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.analysis.trial_outcomes import MEANINGS
from reports.drawing.color_scale import color_legend
from reports.drawing.marks import GLYPHS
from reports.figures.figure import choices_of
from reports.figures.point_texts import point_texts
from reports.figures.search_progress import progress_figures
from reports.figures.trial_outcomes import outcomes_bar
from reports.formatting import cost_text, mean_text, range_text, significant
from reports.pages.render import render
from reports.pages.tradeoff_content import TradeoffContent
from reports.tables.front import front_table
from reports.tables.parameters import parameter_table


def page(report: TradeoffContent) -> str:
    """Render the HTML of the report."""
    data = report.data
    drawn = data.drawn_individually.union(*(family.data.drawn_individually for family in report.families))
    return render(
        "tradeoff.html.j2",
        report=report,
        study=data.record.name,
        setting=_setting(data.record.spec, [family.label for family in report.families]),
        quality=data.quality,
        x=data.x,
        objectives=data.record.objectives,
        cost_text=cost_text,
        cards=report.recommendation.roles,
        front=front_table(data) if data.front else None,
        importance=parameter_table(data, report.effects, report.importances) if report.effects else None,
        colors=color_legend(data.x, data.cost_ends) if report.parameters else [],
        hover=point_texts(data, drawn),
        glyphs=GLYPHS,
        choices=choices_of(
            [one for one in (report.by_family, report.tradeoff, *report.run_figures) if one is not None]
        ),
        trials_shown=[view.trial.number for view in report.views],
        significant=significant,
        mean_text=mean_text,
        range_text=range_text,
        progress_figures=progress_figures(report.progress),
        meanings=MEANINGS,
        outcomes_bar=outcomes_bar(report.trial_outcomes.counts),
    )


def _setting(spec: dict[str, Any], families: Sequence[str]) -> str:
    """Describe stream, method and network in one line; with families, those in place of the method."""
    trial = spec.get("trial") or {}
    stream, target, hypernet = (trial.get(part) or {} for part in ("stream", "target", "hypernet"))
    parts = [
        " ".join(str(stream[key]) for key in ("name", "dataset") if key in stream),
        f"{stream['n_tasks']} tasks" if "n_tasks" in stream else "",
        ", ".join(families)
        or " ".join(str(part["name"]) for part in (trial.get("method") or {}, hypernet) if "name" in part),
        " ".join([str(target.get("name", "")), "-".join(str(width) for width in target.get("hidden") or [])]).strip(),
    ]
    return " · ".join(part for part in parts if part)

"""The trade-off report as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.analysis.trial_outcomes import MEANINGS
from reports.drawing.color_scale import shade_legend
from reports.drawing.marks import GLYPHS
from reports.figures.figure import choices_of
from reports.figures.tasks import heat_scale
from reports.figures.trial_outcomes import outcomes_bar
from reports.formatting import mean_text, parameter, range_text, short_names, significant
from reports.pages.render import render
from reports.pages.tradeoff_content import Report
from reports.tables.front import front_table
from reports.tables.parameters import parameter_table


def page(report: Report) -> str:
    """The HTML of the report."""
    evidence = report.evidence
    heat = heat_scale(evidence, report.matrices) if report.matrices else None
    return render(
        "tradeoff.html.j2",
        report=report,
        study=evidence.record.name,
        setting=_setting(evidence.record.spec, [family.label for family in report.families]),
        quality=evidence.quality,
        cards=report.answer.roles,
        front=front_table(evidence) if evidence.front else None,
        importance=parameter_table(evidence, report.effects, report.importances) if report.effects else None,
        shades=shade_legend(evidence.ratio_range) if report.parameters else [],
        heat=heat,
        hover=_hover(report),
        glyphs=GLYPHS,
        choices=choices_of([one for one in (report.by_family, report.tradeoff, *report.modes) if one is not None]),
        told=[view.trial.number for view in report.views],
        significant=significant,
        mean_text=mean_text,
        range_text=range_text,
        meanings=MEANINGS,
        outcomes_bar=outcomes_bar(report.coverage.counts),
    )


def _setting(spec: dict[str, Any], families: Sequence[str]) -> str:
    """What was trained, in a line; with families, what they have in common."""
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


def _hover(report: Report) -> dict[str, Any]:
    """What the script shows beside a point, already as text."""
    evidence = report.evidence
    drawn = evidence.singled_out.union(*(family.evidence.singled_out for family in report.families))
    quality, names = evidence.quality, short_names(evidence.parameters)
    return {
        "names": ["ratio", "final", "during", "n", *names.values()],
        "front": [trial.number for trial in evidence.front],
        "trials": {
            trial.number: [
                significant(trial.ratio),
                f"{mean_text(trial[quality.final])} {range_text(trial[quality.final])}",
                mean_text(trial[quality.during]),
                str(trial.n),
                *(parameter(trial.params[name])[:40] for name in names),
            ]
            for trial in evidence.configurations
            if trial.number in drawn
        },
    }

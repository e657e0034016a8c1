"""Page of the trade-off report of several studies, or of the values of a field: their fronts in one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.dotted_keys import short_names
from reports.analysis.families import Family, families_of
from reports.analysis.machines import machines_remark
from reports.analysis.recommendation import SPARSITY_REMARK, has_mask_sparsity
from reports.analysis.trial_outcomes import trial_outcomes
from reports.data.run_series import RunSeries, series_of
from reports.drawing.marks import GLYPHS
from reports.figures.attainment import attainment_figure
from reports.figures.bins import bins_figure
from reports.figures.figure import Figure, choices_of
from reports.figures.overlay import FRAME, overlay_figure, overlay_rows, x_scale
from reports.figures.run_plane import RunPlane
from reports.figures.seed_scatter import seed_scatter_figure
from reports.formatting import cost_text, mean_text, parameter, range_text
from reports.latex import latex_table
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render, short
from reports.pages.tradeoff_content import MIN_FOR_BINS, PAGE
from reports.table import (
    Table,
)
from reports.tables.families import family_table
from studies.statistics.hypervolume import REFERENCE_POINT
from studies.statistics.intervals import TWO_SEEDS

if TYPE_CHECKING:
    from studies.queries.studies import Studies


def write_overlay(
    studies: Studies,
    names: Sequence[str],
    out: Path,
    by: Sequence[str],
    folders: Mapping[str, str],
    x: str | None = None,
) -> Path:
    """Write the fronts of all families in one page, with a link to the report of each study.

    Args:
        names: studies.
        by: fields of a trial that split each study into families, such as hypernet.chunk_size.
        folders: the folder of each study's own report, beside the page.
        x: the cost on the x axis; None: the one that all studies minimise, else the compression ratio.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if there is nothing to show, too much, the measures differ, or `x` is no cost.
        ReportNotWritten: if the folder cannot be written.
    """
    families = families_of(studies, names, by, x)
    views = _figures(studies, families)
    table = family_table(families)
    files = {figure.csv_name: csv_text(figure.rows) for figure in views}
    files["fronts.csv"] = csv_text(overlay_rows(families))
    files["families.csv"] = csv_text(table.rows)
    files["families.tex"] = latex_table(table)
    files[PAGE] = _page(families, views, table, folders)
    return write_report(out, PAGE, files, _summary(families, table))


def _figures(studies: Studies, families: Sequence[Family]) -> list[Figure]:
    """Draw the fronts, and the other views that have enough data."""
    data = families[0].data
    series = [_series(studies, family) for family in families]
    x = x_scale(families)
    plane = RunPlane(data.quality, data.x, FRAME, x)
    figures = [overlay_figure(families, x), seed_scatter_figure(plane, series)]
    if sum(len(family.data.configurations) for family in families) >= MIN_FOR_BINS:
        figures.append(bins_figure(plane, series))
    if all(len(set(one.seeds.tolist())) > 1 for one in series):
        figures.append(attainment_figure(plane, series))
    return figures


def _series(studies: Studies, family: Family) -> RunSeries:
    data = family.data
    return series_of(studies.runs(data.record.name), data, data.quality.final, family.label, family.style)


def _page(families: Sequence[Family], figures: Sequence[Figure], table: Table, folders: Mapping[str, str]) -> str:
    studies = {family.data.record.name: family.data for family in families}
    streams = {stream for family in families for stream in family.streams}
    return render(
        "overlay.html.j2",
        title=", ".join(family.label for family in families),
        families=families,
        choices=choices_of(figures),
        table=table,
        outdated=[f"{short(name)}: {fault}" for name, one in studies.items() for fault in one.outdated],
        streams=sorted(streams) if len(streams) > 1 else [],
        quality=families[0].data.quality,
        x=families[0].data.x,
        remarks=[remark for remark in (_two_seeds(families), _masks(families), _machines(families)) if remark],
        parts=[(name, folders[name] + "/" + PAGE, trial_outcomes(one).sentence) for name, one in studies.items()],
        hover=_hover(families),
        glyphs=GLYPHS,
    )


def _two_seeds(families: Sequence[Family]) -> str:
    """Return the remark on families whose best configuration has two seeds, else ""."""
    labels = [one.label for one in families if one.recommendation.best is not None and one.recommendation.best.n == 2]
    return (
        f"The best of {', '.join(labels)} {'rests' if len(labels) == 1 else 'rest'} on 2 seeds: {TWO_SEEDS}."
        if labels
        else ""
    )


def _masks(families: Sequence[Family]) -> str:
    """Return the remark on masks where they appear on an axis of storage, else ""."""
    is_shown = families[0].data.x.is_storage and any(has_mask_sparsity(family.data) for family in families)
    return SPARSITY_REMARK if is_shown else ""


def _machines(families: Sequence[Family]) -> str:
    """Return the remark on the machines that measured the cost of all studies, else ""."""
    return machines_remark(families[0].data.x, frozenset().union(*(one.data.machines for one in families))) or ""


def _hover(families: Sequence[Family]) -> dict[str, Any]:
    """Return the texts that the script shows beside a point; studies search different values, so these are one line."""
    trials, headings = {}, {}
    for family in families:
        data, labels = family.data, short_names(family.data.parameters)
        final = data.quality.final
        for trial in data.configurations:
            if trial.number in data.drawn_individually:
                values = ", ".join(f"{label} {parameter(trial.params[name])[:40]}" for name, label in labels.items())
                headings[family.key(trial)] = f"{family.label[:60]}: trial {trial.number}"
                trials[family.key(trial)] = [
                    cost_text(data.x, data.cost(trial)), f"{mean_text(trial[final])} {range_text(trial[final])}",
                    mean_text(trial[data.quality.during]), str(trial.n), values,
                ]  # fmt: skip
    front = [family.key(trial) for family in families for trial in family.data.front]
    names = [families[0].data.x.word, "final", "during", "n", "with"]
    return {"names": names, "front": front, "trials": trials, "headings": headings}


def _summary(families: Sequence[Family], table: Table) -> dict[str, Any]:
    x, quality = families[0].data.x, families[0].data.quality
    return {
        "families": [
            {**row, "headline": f.recommendation.headline} for row, f in zip(table.rows, families, strict=True)
        ],
        "hypervolume_reference": {x.metric: families[0].reference, quality.final: REFERENCE_POINT[quality.final]},
    }

"""Page of the trade-off report of several studies, or of the values of a field: their fronts in one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.dotted_keys import short_names
from reports.analysis.families import Family, families_of
from reports.analysis.trial_outcomes import trial_outcomes
from reports.data.run_series import RunSeries, series_of
from reports.drawing.marks import GLYPHS
from reports.figures.attainment import attainment_figure
from reports.figures.bins import bins_figure
from reports.figures.figure import Figure, choices_of
from reports.figures.overlay import FRAME, overlay_figure, overlay_rows, ratio_axis
from reports.figures.seed_scatter import seed_scatter_figure
from reports.figures.tradeoff import X_LABEL
from reports.formatting import mean_text, parameter, range_text, significant
from reports.latex import latex_table
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render, short
from reports.pages.tradeoff_content import MIN_FOR_BINS, PAGE
from reports.table import Column, Row, Table, mean_columns, size_column, text_column
from studies.statistics.hypervolume import REFERENCE_POINT
from studies.statistics.intervals import TWO_SEEDS

if TYPE_CHECKING:
    from studies.queries.studies import Studies


def write_overlay(
    studies: Studies, names: Sequence[str], out: Path, by: Sequence[str], folders: Mapping[str, str]
) -> Path:
    """Write the fronts of all families in one page, with a link to the report of each study.

    Args:
        names: studies.
        by: fields of a trial that split each study into families, such as hypernet.chunk_size.
        folders: the folder of each study's own report, beside the page.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if there is nothing to show, too much, or the measures differ.
        ReportNotWritten: if the folder cannot be written.
    """
    families = families_of(studies, names, by)
    views = _figures(studies, families)
    table = _family_table(families)
    files = {figure.csv_name: csv_text(figure.rows) for figure in views}
    files["fronts.csv"] = csv_text(overlay_rows(families))
    files["families.csv"] = csv_text(table.rows)
    files["families.tex"] = latex_table(table)
    files[PAGE] = _page(families, views, table, folders)
    return write_report(out, PAGE, files, _summary(families, table))


def _figures(studies: Studies, families: Sequence[Family]) -> list[Figure]:
    """Draw the fronts, and the other views that have enough data."""
    x, quality = ratio_axis(families), families[0].data.quality
    series = [_series(studies, family) for family in families]
    given = (quality, series, FRAME, x, X_LABEL)
    figures = [overlay_figure(families, x, X_LABEL), seed_scatter_figure(*given)]
    if sum(len(family.data.configurations) for family in families) >= MIN_FOR_BINS:
        figures.append(bins_figure(*given))
    if all(len(set(one.seeds.tolist())) > 1 for one in series):
        figures.append(attainment_figure(*given))
    return figures


def _series(studies: Studies, family: Family) -> RunSeries:
    data = family.data
    runs = studies.runs(data.record.name)
    return series_of(runs, data.configurations, data.quality.final, family.label, family.style)


def _family_table(families: Sequence[Family]) -> Table:
    quality = families[0].data.quality
    rows = [_family_row(family) for family in families]
    ratio, worst = REFERENCE_POINT["compression_ratio"], REFERENCE_POINT[quality.final]
    columns = [
        text_column("family", "family"),
        Column("configurations", "configurations", lambda row: str(row["configurations"])),
        Column("front", "on the front", lambda row: str(row["front"])),
        *mean_columns("best", "best final"),
        Column("n", "n", lambda row: str(row["n"]), "seeds of the best"),
        size_column("best_ratio", "at ratio"),
        size_column("near_ratio", "smallest near best", "smallest ratio within one point of the best"),
        Column("hypervolume", "hypervolume", lambda row: significant(row["hypervolume"]),
               f"share of the area up to ratio {ratio:g} and {quality.word} {worst:g} that the front dominates"),
    ]  # fmt: skip
    caption = (
        f"Hypervolume is the share of the area up to ratio {ratio:g} and {quality.word} {worst:g} that a front "
        "dominates; the reference is fixed, so that reports can be compared."
    )
    return Table("families", caption, columns, rows, key="place")


def _family_row(family: Family) -> Row:
    found, data = family.recommendation, family.data
    best = None if found.best is None else found.best[data.quality.final]
    return {
        "place": family.index,
        "family": family.label,
        "study": data.record.name,
        "streams": sorted(family.streams),
        "configurations": len(data.configurations),
        "front": len(data.front),
        "best": best.mean if best else None,
        "best.low": best.low if best else None,
        "best.high": best.high if best else None,
        "n": best.n if best else 0,
        "best_ratio": found.best.ratio if found.best else None,
        "near_ratio": found.near.ratio if found.near else None,
        "knee_ratio": found.knee.ratio if found.knee else None,
        "hypervolume": family.hypervolume,
    }


def _page(families: Sequence[Family], figures: Sequence[Figure], table: Table, folders: Mapping[str, str]) -> str:
    studies = {family.data.record.name: family.data for family in families}
    streams = {stream for family in families for stream in family.streams}
    return render(
        "overlay.html.j2",
        title=", ".join(family.label for family in families),
        families=families,
        two_seeds=_two_seeds(families),
        choices=choices_of(figures),
        table=table,
        outdated=[f"{short(name)}: {fault}" for name, one in studies.items() for fault in one.outdated],
        streams=sorted(streams) if len(streams) > 1 else [],
        quality=families[0].data.quality,
        parts=[(name, folders[name] + "/" + PAGE, trial_outcomes(one).sentence) for name, one in studies.items()],
        hover=_hover(families),
        glyphs=GLYPHS,
    )


def _two_seeds(families: Sequence[Family]) -> str:
    """Say of families whose best configuration has two seeds that they show nothing; "" if there are none."""
    labels = [one.label for one in families if one.recommendation.best is not None and one.recommendation.best.n == 2]
    return (
        f"The best of {', '.join(labels)} {'rests' if len(labels) == 1 else 'rest'} on 2 seeds: {TWO_SEEDS}."
        if labels
        else ""
    )


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
                    significant(trial.ratio), f"{mean_text(trial[final])} {range_text(trial[final])}",
                    mean_text(trial[data.quality.during]), str(trial.n), values,
                ]  # fmt: skip
    front = [family.key(trial) for family in families for trial in family.data.front]
    return {"names": ["ratio", "final", "during", "n", "with"], "front": front, "trials": trials, "headings": headings}


def _summary(families: Sequence[Family], table: Table) -> dict[str, Any]:
    quality = families[0].data.quality
    return {
        "families": [
            {**row, "headline": f.recommendation.headline} for row, f in zip(table.rows, families, strict=True)
        ],
        "hypervolume_reference": {name: REFERENCE_POINT[name] for name in ("compression_ratio", quality.final)},
    }

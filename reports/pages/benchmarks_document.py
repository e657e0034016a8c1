"""Generator of the end of docs/benchmarks.md: `python -m reports.pages.benchmarks_document docs/benchmarks.md`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.analysis.measuring_trials import FinishedTrials
from reports.analysis.provenance import paper_check
from reports.analysis.reproduction import CellComparison, compare_cells
from reports.data.measured_studies import PREFIX, import_measured, measured_names, measured_text
from reports.data.published_tables import published_tables
from reports.formatting import MISSING, parameter, plural, significant
from reports.tables.published_cells import cell_row, shown_detectable, shown_mean, shown_range

if TYPE_CHECKING:
    from studies.queries.studies import Studies

MAX_CONFIGURATIONS = 12
MARKER = (
    "<!-- Below: generated from reports/measured by python -m reports.pages.benchmarks_document docs/benchmarks.md -->"
)


def with_measurements(document: str) -> str:
    """Return the text of docs/benchmarks.md with what follows the marker generated anew."""
    head, marker, _ = document.partition(MARKER)
    if not marker:
        raise ValueError(f"the document must have the line {MARKER}, got none.")
    return f"{head}{MARKER}\n\n{measured_markdown()}"


def measured_markdown() -> str:
    """Return tables of what reports/measured holds: studies, the published cells they measure, configurations."""
    names = measured_names()
    if not names:
        return "Nothing yet.\n"
    with tempfile.TemporaryDirectory() as folder:
        found = _measured(Path(folder) / "measured.db", names)
        lines = [*_studies(found, names), *_cells(found), *_configurations(found, names)]
    return "\n".join(lines) + "\n"


def _measured(file: Path, names: Sequence[str]) -> Studies:
    import studies

    for name in names:
        import_measured(str(file), name)
    return studies.open(str(file))


def _studies(studies: Studies, names: Sequence[str]) -> Iterator[str]:
    yield "| study | trainings | seeds | device | commit | began |"
    yield "|---|---|---|---|---|---|"
    for name in names:
        launches = json.loads(measured_text(name))["launches"]
        first: dict[str, Any] = launches[0] if launches else {}
        seeds = sorted({len(row["seeds"]) for row in studies.ledger(PREFIX + name)})
        shown = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
        commit, began = (first.get("git_commit") or MISSING)[:7], (first.get("started_at") or MISSING)[:10]
        n_trials = len(studies.ledger(PREFIX + name))
        yield f"| `{PREFIX}{name}` | {n_trials} | {shown} | {first.get('device') or MISSING} | {commit} | {began} |"


def _cells(studies: Studies) -> Iterator[str]:
    trials = FinishedTrials(studies)
    for table in published_tables():
        measured = [one for one in compare_cells(table.cells, trials) if one.measurement is not None]
        if not measured:
            continue
        yield ""
        yield f"### {table.name}"
        yield ""
        yield f"{table.caption}. [{table.cite}]({table.url}). {plural(len(measured), 'cell')} of {len(table.cells)}."
        yield ""
        yield "| row | column | published | ours | 95 % interval | n | verdict | detectable | s, fastest seed | study |"
        yield "|---|---|---|---|---|---|---|---|---|---|"
        yield from map(_line, measured)


def _line(found: CellComparison) -> str:
    assert found.measurement is not None
    row = cell_row(found)
    verdict = f"{row['verdict']}: {row['reason']}" if row["reason"] else row["verdict"]
    seconds = MISSING if found.measurement.seconds is None else significant(found.measurement.seconds, 3)
    study = f"`{row['study']}`"
    cells = (row["row"], row["column"], row["published_text"], shown_mean(row), shown_range(row), row["n"])
    return "| " + " | ".join(map(str, (*cells, verdict, shown_detectable(row), seconds, study))) + " |"


def _configurations(studies: Studies, names: Sequence[str]) -> Iterator[str]:
    """Yield the configurations of each study that has several objectives, of a large one only its front."""
    for name in names:
        record = studies.study(PREFIX + name)
        if len(record.objectives) < 2:
            continue
        every = studies.trial_rows(PREFIX + name)
        is_short = len(every.values) <= MAX_CONFIGURATIONS
        chosen = every if is_short else studies.front_rows(PREFIX + name)
        yield ""
        yield f"### {'Configurations' if is_short else 'Front'} of {PREFIX}{name}"
        yield ""
        reduced = paper_check(record.spec).reduced
        if reduced:
            yield f"Reduced, so no reproduction: {'; '.join(reduced)}."
            yield ""
        metrics = list(record.objectives)
        yield f"| trial | {' | '.join(record.searched)} | {' | '.join(metrics)} | n |"
        yield "|---" * (len(record.searched) + len(metrics) + 2) + "|"
        for row in chosen.dicts():
            params = [MISSING if row.get(key) is None else parameter(row[key]) for key in record.searched]
            values = [_interval(row, metric) for metric in metrics]
            yield f"| {row['number']} | {' | '.join(params)} | {' | '.join(values)} | {row['n']} |"


def _interval(row: dict[str, Any], metric: str) -> str:
    mean, low, high = (row.get(f"{metric}{end}") for end in ("", ".low", ".high"))
    if mean is None:
        return MISSING
    return significant(mean, 4) + ("" if low is None else f" [{significant(low, 4)}, {significant(high, 4)}]")


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_measurements(file.read_text(encoding="utf-8")), encoding="utf-8")

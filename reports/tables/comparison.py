"""Tables of a comparison: verdicts, compared methods, and methods by stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.analysis.comparison import Comparison, Pair
from reports.data.compared_methods import ComparedMethod
from reports.data.grouping import field_value
from reports.formatting import MISSING, mean_text, parameter, range_text
from reports.table import (
    Column,
    Row,
    Table,
    count_column,
    integer_column,
    interval_cells,
    interval_of,
    mean_columns,
    memory_column,
    number_column,
    text_column,
)
from reports.tables.trial_rows import trial_row
from studies.comparing.comparability import why_different_machines
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded_difference


def verdict_rows(comparison: Comparison) -> list[Row]:
    """List every number of every verdict, flat and exact."""
    return [_verdict_row(i, pair) for i, pair in enumerate(comparison.pairs)]


def verdict_table(comparison: Comparison) -> Table:
    """Build the table of verdicts: one row per pair; pairs with a significant difference are marked."""
    rows = verdict_rows(comparison)
    several = len(comparison.streams) > 1
    has_margin = comparison.margin is not None
    columns = [
        text_column("a", "A"),
        text_column("b", "B"),
        *([text_column("stream", "stream")] if several else []),
        Column("verdict", "verdict", lambda row: row["verdict"], is_number=False),
        *_difference_columns(comparison.metric),
        integer_column("n", "n", "pairs of seeds, or seeds of the smaller side"),
        _mean("a_mean", "mean A", "n_a"),
        _mean("b_mean", "mean B", "n_b"),
        number_column(
            "probability_a_better", "P(A>B)", "probability that a run of A is better than one of B", digits=2
        ),
        _p_column("p_holm", "p (Holm)", "of the t test, for all comparisons together"),
        _p_column("p_sign_flip", "p (sign flip)", "exact, from six pairs on"),
        _p_column("p_smallest", "smallest p", "that sign flips can give"),
        *([_p_column("p_equivalent", "p (equivalence)")] if has_margin else []),
    ]
    decided = frozenset(row["pair"] for row in rows if row["verdict"].endswith("better"))
    level = f"{1 - comparison.alpha:.0%}".replace("%", " %")
    caption = (
        f"{METRICS[comparison.metric].label} of A and B. The interval of the difference decides, at a level of {level} "
        "for all comparisons together (Holm); the p of sign flips stands beside it."
    )
    return Table("verdicts", caption, columns, rows, decided, key="pair", mark="a difference is shown:")


def _difference_columns(metric: str) -> list[Column]:
    """Make the columns of the mean difference and its interval, cut at the largest difference of the metric."""

    def of(row: Row) -> Interval:
        return bounded_difference(metric, interval_of(row, "difference"))

    hint = "mean difference and the interval that decides"
    return [
        Column("difference", "A − B", lambda row: mean_text(of(row)), hint, is_mean=True),
        Column("difference.low", "95 % interval", lambda row: range_text(of(row))),
    ]


def method_rows(comparison: Comparison) -> list[Row]:
    """List every compared method with all its metrics and its configuration."""
    return [_method_row(comparison, i, one) for i, one in enumerate(comparison.methods)]


def method_table(comparison: Comparison, stream: str) -> Table:
    """Build the table of the methods on one stream, best mean first; the best is marked."""
    methods = comparison.on(stream)
    rows = [row for row in method_rows(comparison) if row["stream"] == stream]
    sign = -1 if METRICS[comparison.metric].better == "higher" else 1
    rows.sort(key=lambda row: sign * (row[comparison.metric] or 0.0))
    measure = methods[0].measure
    other_machines = why_different_machines([one.machines for one in methods])
    shown = dict.fromkeys([comparison.metric, f"final_{measure}", f"during_{measure}", "forgetting"])
    columns = [
        text_column("label", "entrant"),
        *(column for metric in shown if _is_known(rows, metric) for column in mean_columns(metric, _label(metric))),
        integer_column("n", "n", "seeds"),
        number_column("compression_ratio", "ratio", METRICS["compression_ratio"].description),
        count_column("model_weights", "weights", METRICS["model_weights"].description),
        *([memory_column("memory_bytes", "replay memory (MiB)")] if any(row["memory_bytes"] for row in rows) else []),
        *([number_column("seconds", "time (s)", METRICS["seconds"].description)] if other_machines is None else []),
        text_column("standing", "standing"),
        Column("trial", "trial", lambda row: f"{row['study']} #{row['trial']}", is_number=False),
        integer_column("n_tried", "of", "finished configurations it is the best of"),
    ]
    if not any(row["standing"] for row in rows):
        columns = [column for column in columns if column.key != "standing"]
    best = frozenset(row["entrant"] for row in rows if row["standing"] == "best")
    caption = f"On {stream}, best mean first."
    if other_machines is not None:
        caption += f" Times are left out: {other_machines.partition(':')[0]}."
    return Table("entrants", caption, columns, rows, best, key="entrant", mark="best mean:")


def stream_table(comparison: Comparison) -> Table | None:
    """Build the table of methods by streams, as papers print results; None for a single stream."""
    if len(comparison.streams) < 2:
        return None
    rows = [_stream_row(comparison, i, label) for i, label in enumerate(comparison.labels)]
    columns = [text_column("label", "entrant")]
    for i, stream in enumerate(comparison.streams):
        columns += mean_columns(f"s{i}", stream)
    caption = f"{METRICS[comparison.metric].label} by stream, mean and 95 % t interval over seeds."
    return Table("streams", caption, columns, rows, key="place")


def cross_tables(comparison: Comparison, by: Sequence[str]) -> list[Table]:
    """Build tables of one field by another, such as methods by freeze depths; empty unless `by` names two.

    As Table 2 of Hemati et al., "Partial hypernetworks for continual learning" (CoLLAs 2023),
    https://arxiv.org/abs/2306.10724; one table per stream, an empty cell was not measured.
    """
    return [_cross_table(comparison, stream, by) for stream in comparison.streams] if len(by) == 2 else []


def _cross_table(comparison: Comparison, stream: str, by: Sequence[str]) -> Table:
    down, across = (dict.fromkeys(_values(comparison.on(stream), field)) for field in by)
    texts = _value_texts([*down, *across])
    columns = {value: f"{by[1]} {texts[value]}" for value in sorted(across, key=_in_order)}
    found = {tuple(field_value(one.config, field) for field in by): one for one in comparison.on(stream)}
    rows = []
    for place, value in enumerate(down):
        row: dict[str, Any] = {"label": texts[value], "place": place}
        own = {
            key: one.interval(comparison.metric) for other, key in columns.items() if (one := found.get((value, other)))
        }
        row["n"] = min(cell.n for cell in own.values())
        for key in columns.values():
            cell = own.get(key)
            row |= {**interval_cells(key, cell), f"{key}.n": 0 if cell is None else cell.n}
        rows.append(row)
    shown = [text_column("label", by[0]), *(one for key in columns.values() for one in mean_columns(key, key))]
    caption = (
        f"{METRICS[comparison.metric].label} by {by[0]} (rows) and {by[1]} (columns) on {stream}, mean and 95 % t "
        "interval over seeds."
    )
    return Table("cross", caption, shown, rows, key="place")


def _values(methods: Sequence[ComparedMethod], field: str) -> list[Any]:
    return [field_value(one.config, field) for one in methods]


def _in_order(value: Any) -> tuple[bool, bool, float, str]:
    """Return a key that sorts None first, then numbers, then words."""
    is_number = isinstance(value, int | float)
    return value is not None, not is_number, value if is_number else 0.0, str(value)


def _value_texts(values: Sequence[Any]) -> dict[Any, str]:
    """Format values to three digits, exactly where those do not tell two apart."""
    texts = {value: "none" if value is None else parameter(value) for value in values}
    short = list(texts.values())
    return {value: str(value) if short.count(text) > 1 else text for value, text in texts.items()}


def _stream_row(comparison: Comparison, place: int, label: str) -> Row:
    """Return one method over all streams; a stream it was not measured on is missing."""
    own = {one.stream: one.interval(comparison.metric) for one in comparison.methods if one.label == label}
    row: dict[str, Any] = {"label": label, "place": place, "n": min(interval.n for interval in own.values())}
    for i, stream in enumerate(comparison.streams):
        row |= interval_cells(f"s{i}", own.get(stream))
    return row


def _verdict_row(index: int, pair: Pair) -> Row:
    verdict = pair.verdict
    gap = verdict.difference
    return {
        "pair": index,
        "a": pair.a.label,
        "b": pair.b.label,
        "stream": pair.a.stream if pair.a.stream == pair.b.stream else f"{pair.a.stream} | {pair.b.stream}",
        "verdict": verdict.answer,
        "reason": verdict.reason,
        **interval_cells("a_mean", verdict.a),
        **interval_cells("b_mean", verdict.b),
        "n_a": verdict.a.n,
        "n_b": verdict.b.n,
        **interval_cells("difference", gap),
        "n": gap.n if gap else min(verdict.a.n, verdict.b.n),
        "confidence": verdict.confidence,
        "family": verdict.family,
        "design": verdict.design,
        "p": verdict.p,
        "p_holm": verdict.p_holm,
        "p_sign_flip": verdict.p_sign_flip,
        "p_smallest": verdict.p_smallest,
        "probability_a_better": verdict.probability_a_better,
        "margin": verdict.margin,
        "p_equivalent": verdict.p_equivalent,
        "left_out": verdict.left_out,
    }


def _method_row(comparison: Comparison, index: int, one: ComparedMethod) -> Row:
    return {
        "entrant": index,
        "label": one.label,
        "stream": one.stream,
        "study": one.study,
        "trial": one.trial.number,
        "n_tried": one.n_tried,
        "chosen_by": one.selection,
        "standing": comparison.standing(one),
        "machine": one.machine,
        **trial_row(one.trial, METRICS),
    }


def _mean(key: str, label: str, seeds: str) -> Column:
    """Make a column of a mean without its interval, for a row with several numbers of seeds."""
    return Column(key, label, lambda row: mean_text(interval_of(row, key, seeds)))


def _label(metric: str) -> str:
    return METRICS[metric].label.lower().replace(" accuracy", "").replace(" mse", " MSE")


def _is_known(rows: list[Row], metric: str) -> bool:
    return any(row.get(metric) is not None for row in rows)


def _p_column(key: str, label: str, hint: str | None = None) -> Column:
    return Column(key, label, lambda row: _p(row[key]), hint)


def _p(value: float | None) -> str:
    if value is None:
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"

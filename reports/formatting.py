"""Numbers as text, with as many digits as their intervals support."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from studies.metrics.cost_axes import CostAxis
from studies.statistics.interval import Interval

DIGITS_WITHOUT_INTERVAL = 4
MISSING = "–"


def mean_text(interval: Interval) -> str:
    """Format a mean to two significant digits of the half-width of its interval, and at least one of its own.

    Example:
        >>> mean_text(Interval(0.95712, 0.9511, 0.9631, 3))
        '0.9571'
    """
    if interval.mean is None:
        return MISSING
    return interval.mean_text() or significant(interval.mean, DIGITS_WITHOUT_INTERVAL)


def range_text(interval: Interval) -> str:
    """Format an interval as `[low, high]`, or a dash where one seed gives none."""
    if interval.low is None or interval.high is None:
        return MISSING
    return interval.range_text() or f"[{mean_text(interval)}, {mean_text(interval)}]"


def phrase(interval: Interval) -> str:
    """Format a mean with its interval and number of seeds for a sentence."""
    seeds = "1 seed, no interval" if interval.n == 1 else f"{interval.n} seeds"
    if interval.low is None:
        return f"{mean_text(interval)} ({seeds})"
    return f"{mean_text(interval)} (95\u00a0% interval {range_text(interval)}, {seeds})"


def significant(value: float | None, digits: int = 3) -> str:
    """Format a value to significant digits, with thousands separators; only tiny or huge ones get an exponent."""
    if value is None:
        return MISSING
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    if not -5 <= exponent < 15:
        return f"{value:.{digits - 1}e}"
    return f"{round(value, digits - 1 - exponent):,.{max(0, digits - 1 - exponent)}f}"


def cost_number(x: CostAxis, value: float | None, digits: int = 3) -> str:
    """Format a cost in its unit, without naming the unit."""
    return significant(None if value is None else value / x.unit_size, digits)


def cost_text(x: CostAxis, value: float | None) -> str:
    """Format a cost with its unit.

    Example:
        >>> cost_text(COST_AXES["model_bytes"], 3 * 2**20)
        '3.00 MiB'
    """
    text = cost_number(x, value)
    return f"{text} {x.unit}" if x.unit and value is not None else text


def count_text(value: float | None) -> str:
    """Format a count with thousands separators."""
    return MISSING if value is None else f"{value:,.0f}"


def parameter(value: Any) -> str:
    """Format a searched value as typed in a spec."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value)


def capitalized(text: str) -> str:
    """Return a text with its first letter in upper case, as a sentence begins."""
    return text[:1].upper() + text[1:]


def plural(count: int, word: str) -> str:
    """Format a count with its noun: `1 trial`, `2 trials`."""
    return f"{count_text(count)} {word}{'' if count == 1 else 's'}"


def numbered(word: str, numbers: Sequence[int], at_most: int = 12) -> str:
    """List numbers after their noun: `trial 3`, `trials 1, 2 and 5`; cut short where there are many.

    Example:
        >>> numbered("trial", [1, 2, 5])
        'trials 1, 2 and 5'
        >>> numbered("trial", [1, 2, 5, 6], at_most=2)
        'trials 1, 2 and 2 more'
    """
    shown, rest = [str(number) for number in numbers[:at_most]], len(numbers) - at_most
    *first, last = [*shown, f"{rest:,} more"] if rest > 0 else shown
    return f"{word}{'s' if first else ''} {', '.join(first)}{' and ' if first else ''}{last}"


def told_apart(labels: Sequence[str], length: int) -> dict[str, str]:
    """Shorten labels so that different ones stay different: at their end, else at their start, else in the middle.

    Labels that differ in none of these places get their number in front.

    Example:
        >>> told_apart(["hnet, chunk_size 100", "hnet, chunk_size 200"], 12)
        {'hnet, chunk_size 100': '…nk_size 100', 'hnet, chunk_size 200': '…nk_size 200'}
    """
    distinct = list(dict.fromkeys(labels))
    half = length // 2
    cuts: tuple[Callable[[str], str], ...] = (
        lambda label: label[: length - 1] + "…",
        lambda label: "…" + label[1 - length :],
        lambda label: label[:half] + "…" + label[half + 1 - length :],
    )
    for cut in cuts:
        found = {label: label if len(label) <= length else cut(label) for label in distinct}
        if len(set(found.values())) == len(distinct):
            return found
    return {label: f"{i}: {label}"[: length - 1] + "…" for i, label in enumerate(distinct, start=1)}


def aligned(texts: list[str]) -> list[str]:
    """Pad texts with digit-wide blanks so that the decimal points of a right-aligned column are aligned."""
    tails = [len(text) - text.rfind(".") if _is_decimal(text) else 0 for text in texts]
    widest = max(tails, default=0)
    return [_pad(text, tail, widest) for text, tail in zip(texts, tails, strict=True)]


def _pad(text: str, tail: int, widest: int) -> str:
    if tail == widest:
        return text
    # U+2008 is as wide as a full stop, U+2007 as a digit
    return text + ("" if tail else "\u2008") + "\u2007" * (widest - max(tail, 1))


def _is_decimal(text: str) -> bool:
    return "." in text and text[-1:].isdigit()

"""Durations as people read them."""

from __future__ import annotations


def duration_text(seconds: float) -> str:
    """Format a duration as `45 s`, `12 min` or `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"

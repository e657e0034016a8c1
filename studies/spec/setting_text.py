"""The value of a setting as text."""

from __future__ import annotations

import json
from typing import Any


def setting_text(value: Any) -> str:
    """Format a value as it would be typed, a float to three significant digits.

    Example:
        >>> setting_text(2000.0), setting_text(0.00123456), setting_text([10, 10])
        ('2000', '0.00123', '[10, 10]')
    """
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value)

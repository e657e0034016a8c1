"""Values as exact text, for files and to tell two values apart; `formatting` has those for people."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def exact_json(value: Any) -> str:
    """Write a value as exact JSON, different for any two values that differ."""
    return repr(value) if type(value) in (int, float) and value - value == 0 else json.dumps(value)


def exact_text(value: Any) -> str | None:
    """Write a value exactly, as in the CSV; None for a missing one."""
    return value if value is None or isinstance(value, str) else exact_json(value)


def map_distinct(text: Callable[[Any], str], values: Sequence[Any]) -> list[str]:
    """Apply `text` to each value, calling it once per distinct value: most columns repeat a few."""
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) > 1 or not kinds <= {int, str, bool}:  # 1 is equal to True and 0.0 to -0.0; lists cannot be looked up
        return list(map(text, values))
    found = {value: text(value) for value in set(values)}
    return list(map(found.__getitem__, values))


def exact_floats(values: Sequence[float | None]) -> list[str]:
    """Return `repr` of each float, "" for None, three times faster: a large study has millions of them.

    Both write the shortest decimal that reads back as the same float. They differ in exponents only, so floats with an
    exponent are written by `repr`.
    """
    import numpy as np
    from pydantic_core import to_json

    texts = to_json(values).decode()[1:-1].split(",") if values else []
    sizes = np.abs(np.array(values, dtype=float))
    for i in np.flatnonzero(~((sizes >= 1e-4) & (sizes < 1e16))).tolist():
        texts[i] = "" if values[i] is None else repr(values[i])
    return texts


def json_finite(value: Any) -> Any:
    """Return a value of JSON with null in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: json_finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

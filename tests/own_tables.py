"""A small paper of one's own on digits: two rows, three columns, trainings of a second."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.hnet_core.tiny import TINY

TRIAL = {**TINY, "stream": {**TINY["stream"], "n_tasks": 2}, "training": {"iterations": 4, "batch_size": 16}}
CONTENT = {
    "cite": "Nobody, Digits (2026)",
    "url": "https://example.org",
    "tables": {"t1": "Accuracy on digits, in percent"},
    "configurations": {
        "small": {
            "trial": TRIAL,
            "reduced": {"training": {"iterations": 3}},
            "smoke": {"training": {"iterations": 2}},
        },
        "strong": {"like": "small", "note": "With a strong regulariser.", "trial": {"method": {"beta_output": 1.0}}},
    },
    "cells": [
        {
            "table": "t1",
            "rows": {"A,B": "small", "C": ["strong", "small"]},
            "columns": {"during": "during_accuracy", "after": "final_accuracy"},
        },
        {"table": "t1", "columns": ["time"], "reason": "another machine"},
    ],
}
HEAD = "table,row,column,unit,text,value,spread,spread_kind,n,erratum"
CELLS = f"""{HEAD}
t1,"A,B",during,percent,50.0 ± 1.0,50.0,1.0,sem,3,
t1,"A,B",after,percent,40.0 ± 1.0,40.0,1.0,sem,3,
t1,"A,B",time,minutes,7,7,,none,,
t1,C,during,percent,50.0,50.0,,none,,
t1,C,after,percent,60.0 ± 2.0,60.0,2.0,sem,3,printed as 61.0 elsewhere
t1,C,time,minutes,8,8,,none,,
"""


def write_own_tables(folder: Path, name: str = "mine", content: object = CONTENT, cells: str = CELLS) -> Path:
    """Write NAME.yaml with NAME.csv beside it, and return the path of the first."""
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    file.with_suffix(".csv").write_text(cells)
    return file

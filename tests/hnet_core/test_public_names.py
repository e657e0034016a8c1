"""The public names of the package."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import hnet_core
from hnet_core.training import run_trial


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, hnet_core; sys.exit(str({'torch', 'pydantic', 'numpy'} & set(sys.modules) or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(hnet_core, name) is not None for name in hnet_core.__all__)
    assert set(hnet_core.__all__) <= set(dir(hnet_core))
    assert hnet_core.run_trial is run_trial
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = hnet_core.no_such_name


def test_the_example_runs() -> None:
    assert doctest.testmod(hnet_core).failed == 0


def test_the_package_ships_its_types() -> None:
    assert (Path(hnet_core.__file__).parent / "py.typed").read_text() == ""

"""`import studies` is light, and every public name is there when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import studies


@pytest.mark.parametrize("name", studies.__all__)
def test_a_public_name_is_found(name: str) -> None:
    assert getattr(studies, name) is not None
    assert name in dir(studies)


def test_every_lazy_name_is_public() -> None:
    assert set(studies._MODULES) | {"DEFAULT_URL", "open"} == set(studies.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'studies' has no attribute 'nothing'"):
        studies.nothing  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, studies\n"
        "heavy = {'torch', 'pandas', 'scipy', 'sqlalchemy', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""The selection in the address: brushing narrows it, and it is the same question elsewhere."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from studies.metrics.cost_axes import COMPRESSION
from sweeps.cli import app as cli
from sweeps.server.selection import Range, code_of, command_of, narrowed

BOTH = "0.1 < compression_ratio < 0.3 and final_accuracy > 0.9"


def brush(
    where: str | None, ratios: tuple[Any, Any] = (0.1, 0.3), quality: tuple[Any, Any] = (0.9, None)
) -> str | None:
    return narrowed(where, COMPRESSION, Range(*ratios), "final_accuracy", Range(*quality))


def test_brushing_writes_bounds_on_both_axes() -> None:
    assert brush(None) == BOTH


def test_brushing_again_replaces_the_bounds_it_wrote() -> None:
    assert brush("0.5 < compression_ratio and final_accuracy > 0.2") == BOTH


def test_brushing_keeps_every_other_condition() -> None:
    kept = "(method == 'hnet' or number < 5) and n == 3"
    assert brush(kept) == f"{kept} and {BOTH}"
    assert brush(f"{kept} and {BOTH}") == f"{kept} and {BOTH}"
    assert brush("compression_ratio < hypernet_ratio") == f"compression_ratio < hypernet_ratio and {BOTH}"
    assert brush("compression_ratio < 1 or n == 3") == f"(compression_ratio < 1 or n == 3) and {BOTH}"


def test_a_brush_without_bounds_leaves_the_rest() -> None:
    assert brush("n == 3", (None, None), (None, None)) == "n == 3"
    assert brush(BOTH, (None, None), (None, None)) is None


@pytest.mark.parametrize("where", ["1 +", "import os", "(" * 500])
def test_what_is_no_condition_cannot_be_narrowed(where: str) -> None:
    with pytest.raises(ConfigInvalid):
        brush(where)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_bounds_are_written_as_they_were_given(low: float, high: float) -> None:
    text = Range(low, high).condition("compression_ratio")
    assert text is not None
    written = [float(part) for part in text.split(" < compression_ratio < ")]
    assert written == pytest.approx([low, high], rel=1e-9)


def test_two_counts_of_weights_that_differ_little_stay_two_bounds() -> None:
    assert Range(475_114, 475_118).condition("model_weights") == "475114 < model_weights < 475118"


def test_the_command_shown_asks_the_same_question(client: Any, _filled: Any) -> None:
    name, where = "sample-tradeoff", "compression_ratio < 0.5 and method == 'hnet'"
    command = shlex.split(command_of(name, str(_filled), where, "-final_accuracy"))
    printed = CliRunner().invoke(cli, [*command[1:], "--format", "json"])
    assert printed.exit_code == 0
    space: dict[str, Any] = {}
    lines = code_of(name, str(_filled), where, "-final_accuracy").splitlines()
    exec("\n".join([*lines[:-1], f"frame = {lines[-1]}"]), space)
    api = client.get(
        "/api/v1/studies/sample-tradeoff/trials", params={"where": where, "sort": "-final_accuracy"}
    ).json()
    assert space["frame"]["number"].tolist() == [row["number"] for row in api["rows"]]
    assert len(api["rows"]) > 3


def test_a_password_is_in_neither() -> None:
    url = "postgresql://me:secret@host/db"
    assert "secret" not in command_of("s", url, None) + code_of("s", url, None)


def test_the_bounds_of_the_form_become_a_condition_in_the_address(client: Any) -> None:
    found = client.get("/studies/sample-tradeoff?x0=0.1&x1=0.3&y0=0.9&zoom=1")
    assert found.status_code == 303
    page = client.get(found.headers["location"])
    assert page.status_code == 200
    assert "0.1 &lt; compression_ratio &lt; 0.3 and final_accuracy &gt; 0.9" in page.text

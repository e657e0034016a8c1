"""The contract of every method on every stream, scenario and target network: `make contract`, an hour or two."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from hnet_core.registry import METHODS, STREAMS, TARGETS
from hnet_core.trial import Scenario
from tests.hnet_core.test_contract import assert_contract_or_reason, combined


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scenario", get_args(Scenario))
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("method", METHODS)
def test_every_combination_trains_or_says_why_not(
    method: str, stream: str, scenario: str, target: str, stand_ins: Path
) -> None:
    assert_contract_or_reason(combined({"name": method}, stream, scenario, target), stand_ins)

"""`default` as the range of a searched field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from studies.spec.ranges import Choice, FloatRange
from tests.sweeps.tiny import tiny_spec


def test_default_takes_the_range_of_the_option_or_every_value_it_can_have() -> None:
    search: dict[str, Any] = {"method.beta_output": "default", "method.lookahead": "default"}
    spec = tiny_spec(search=search)
    beta, lookahead = spec.search["method.beta_output"], spec.search["method.lookahead"]
    assert isinstance(beta, FloatRange) and (beta.bounds, beta.log) == ((0.0005, 1.0), True)
    assert isinstance(lookahead, Choice) and lookahead.choice == ("adam", "sgd", "none")
    assert type(spec).model_validate(spec.to_dict()) == spec


def test_default_looks_into_families_too() -> None:
    families = {"masks": {"method": {"name": "hypermask"}}, "none": {}}
    search = {"method.mask_sparsity": "default"}
    assert tiny_spec(families=families, search=search).search["method.mask_sparsity"] == Choice(
        choice=(0, 30, 50, 70, 95), when={"family": ["masks"]}
    )


def test_an_option_without_a_range_of_its_own_is_refused() -> None:
    with pytest.raises(ValidationError, match="default for an option that has a range of its own"):
        tiny_spec(search={"hypernet.hidden": "default"})

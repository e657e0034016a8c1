"""The driver's record of configurations, whose cost does not grow with the study."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sweeps.driver.state import DriverState


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.integers(0, 5))))
def test_a_configuration_belongs_to_its_first_trial_until_that_is_forgotten(steps: list[tuple[bool, str, int]]) -> None:
    state, known, hash_of = DriverState(), dict[str, int](), dict[int, str]()
    for is_claimed, config_hash, number in steps:
        if is_claimed:
            config_hash = hash_of.setdefault(number, config_hash)  # a trial has one configuration
            assert state.claim(config_hash, number) == known.setdefault(config_hash, number)
        else:
            state.forget_configuration(number)
            known = {key: value for key, value in known.items() if value != number}
        assert state.trial_by_hash == known

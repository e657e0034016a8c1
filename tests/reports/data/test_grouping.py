from __future__ import annotations

import pytest

from reports.data.grouping import field_value, stream_of


@pytest.mark.parametrize("block", ["split", {"name": "split"}])
def test_a_part_that_is_a_plain_name_reads_like_its_block(block: object) -> None:
    config = {"stream": block, "method": block}
    assert stream_of(config, [5]) == "split, 5 tasks"
    assert field_value(config, "method") == "split"

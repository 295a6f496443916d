"""300 damaged inputs for each reader of own data give the right array or a DataError."""

import pytest
from data_fuzz import TARGETS, fuzz


@pytest.mark.parametrize("name", TARGETS)
def test_only_the_right_array_or_a_data_error(name):
    counts = fuzz(name, 300, derandomize=True)
    assert counts["read"] > 0 and counts["refused"] > 0

"""What ``--vn`` means."""

from __future__ import annotations

import pytest

from maerisim.cli.virtual_neurons import sizes
from maerisim.errors import MappingError


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([], ()),
        (["4x3"], (4, 4, 4)),
        (["5"], (5, 5, 5)),
        (["9x1", "3"], (9, 3, 3)),
        (["16"], (16,)),
    ],
)
def test_sizes(requests, expected):
    assert sizes(requests, 16) == expected


@pytest.mark.parametrize("request_", ["17", "9x2", "0", "3x0", "x3", "3x", "-1", "2.5", "3٣"])
def test_requests_that_make_no_sense_or_do_not_fit(request_):
    with pytest.raises(MappingError, match="--vn"):
        sizes([request_], 16)

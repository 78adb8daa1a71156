import pytest

from poseloop.data.spread import even_rows


@pytest.mark.parametrize(
    ("total", "count", "rows"),
    [(10, 4, [0, 3, 6, 9]), (5, 5, [0, 1, 2, 3, 4]), (3, 20, [0, 1, 2]), (7, 1, [0])],
)
def test_rows_are_spread_from_the_first_to_the_last(total, count, rows):
    assert even_rows(total, count) == rows


def test_no_row_comes_twice():
    for total in range(1, 60):
        for count in range(1, total + 1):
            assert len(even_rows(total, count)) == count

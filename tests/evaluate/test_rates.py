import pytest

from molscore.evaluate.rates import Rate, wilson


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (952, 1000, 0.9370, 0.9636)],
)
def test_wilson_interval_has_its_published_values(count, total, low, high):
    assert wilson(count, total) == pytest.approx((low, high), abs=1e-4)


def test_the_interval_reaches_the_ends_exactly():
    for total in range(1, 200):
        assert wilson(0, total)[0] == 0.0 and wilson(total, total)[1] == 1.0


@pytest.mark.parametrize(("count", "total"), [(1, 0), (-1, 10), (11, 10)])
def test_wilson_refuses_what_is_no_proportion(count, total):
    with pytest.raises(ValueError, match="proportion"):
        wilson(count, total)


def test_rate_of_nothing_has_no_value():
    rate = Rate(0, 0, "records")
    assert rate.value is None and rate.interval is None
    assert rate.to_dict() == {"value": None, "count": 0, "total": 0, "of": "records", "low": None, "high": None}

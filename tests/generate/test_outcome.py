"""What a run that gave up advises."""

from collections import Counter

import pytest

from molscore.generate.outcome import GenerationRun


@pytest.mark.parametrize(
    ("rejected", "words"),
    [
        ({"duplicate": 500, "valence": 20}, "--noise"),
        ({"filter": 30, "clash": 20}, "ask for less"),
        ({"clash": 30, "filter": 20}, "more --steps"),
    ],
)
def test_advice_follows_the_commonest_reason(rejected, words):
    result = GenerationRun(requested=5, attempts=600, rejected=Counter(rejected))
    last = result.text("o.sdf").splitlines()[-1]
    assert last.startswith("gave up after 600 attempts") and words in last

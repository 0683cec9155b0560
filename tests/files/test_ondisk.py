"""Tables on disk answer as dictionaries, sets and lists in memory do."""

import random
from statistics import median

import pytest

from molscore.files.ondisk import Columns, Numbers, Places, Texts


def test_places_are_a_dictionary_in_order():
    chance, places, known = random.Random(0), Places(), {}
    for _ in range(5000):
        number, place = chance.choice((-1, 2**62 + 5, chance.randrange(4000))), (chance.randrange(2**50), 7)
        if chance.random() < 0.2:
            places.discard(number)
            known.pop(number, None)
        else:
            places[number] = known[number] = place
    assert list(places) == sorted(known) and len(places) == len(known)
    assert all(places[number] == place and number in places for number, place in known.items())
    with pytest.raises(KeyError):
        places[5000]
    assert 5000 not in places


def test_places_may_change_while_they_are_gone_through():
    places = Places()
    for number in range(3000):
        places[number] = number, 1
    seen = []
    for number in places:
        places[number] = 0, 2
        if number < 5:
            places[10_000 + number] = 0, 0
        seen.append(number)
    assert seen == [*range(3000), *range(10_000, 10_005)]


def test_texts_are_a_set():
    texts = Texts()
    for text in ("C", "CC", "C", "", "\udcff", "ä"):
        texts.add(text)
    assert len(texts) == 5 and "C" in texts and "\udcff" in texts and "" in texts and "CCC" not in texts


def test_numbers_are_a_set_with_the_greatest_of_each_range():
    numbers = Numbers()
    for number in (3, 10**18, 0, 3, 25, 21, 10**18):
        numbers.add(number)
    assert len(numbers) == 5 and sorted(numbers.greatest(10)) == [3, 25, 10**18]
    assert list(Numbers().greatest(10)) == []


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_medians_are_those_of_the_list(count):
    chance, columns = random.Random(count), Columns("first", "second", "none")
    rows = [(chance.gauss(0, 1), chance.choice((0, 1, None)), None) for _ in range(count)]
    for row in rows:
        columns.add(*row)
    seconds = [row[1] for row in rows if row[1] is not None]
    assert len(columns) == count and columns.median("first") == pytest.approx(median(row[0] for row in rows))
    assert columns.median("second") == (pytest.approx(median(seconds)) if seconds else None)
    assert columns.median("none") is None and columns.zeros("second") == seconds.count(0)


def test_a_full_disk_is_an_error_of_the_system(monkeypatch, tmp_path):
    texts = Texts()
    texts._database.execute("PRAGMA max_page_count = 4")
    with pytest.raises(OSError, match="no room for temporary files"):
        for number in range(10_000):
            texts.add(str(number))

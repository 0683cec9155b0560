"""Conditions: numbers, texts, names, and properties of input records; split into what is known first, and the rest."""

import math

import pytest

from molscore.chem.checks.catalogue import COMMANDS, ORIGINS, PROPERTIES, filterable
from molscore.chem.checks.conditions import Condition, FilterError, check_computed, condition_of, input_values

KNOWN = {"mw": "number", "method": "text", "alerts": "words", "unusual": "words"}
VALUES = {"mw": 100.0, "method": "score", "alerts": ("Brenk:imine", "PAINS_A:quinone"), "unusual": ()}
INPUT = input_values({"pIC50": "7.5", "series": "A", "IC50 (nM)": "30", "note": ""})


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("alerts == 2 and unusual == 0", True),
        ("alerts + unusual < 2", False),
        ("'imine' in alerts", True),
        ("'Brenk:imine' not in alerts", False),
        ("'peroxide' in unusual", False),
        ("method == 'score'", True),
        ("method != 'score' or mw > 99", True),
        ("'cor' in method", True),
        ("'etkdg' == method", False),
        ("input.pIC50 > 7 and input.series == 'A'", True),
        ('input["IC50 (nM)"] * 2 == 60', True),
        ("input.pIC50 == '7.5'", True),
        ("input.series > 1", False),  # no number
        ("not input.series > 1", True),
        ("input.missing < 1 or input.missing >= 1", False),
        ("input.missing == ''", True),
    ],
)
def test_values_of_all_kinds(text, passes):
    verdict = Condition(text, KNOWN, inputs=True)(VALUES | INPUT)
    assert (verdict is None) == passes
    assert passes or verdict.startswith(f"not {text}: ")


def test_a_refusal_names_the_values():
    verdict = Condition("alerts == 0 and method == 'etkdg' and input.missing > 1", KNOWN, inputs=True)(
        VALUES | INPUT | input_values({"missing": ""})
    )
    assert verdict.endswith(": alerts 2 (Brenk:imine; PAINS_A:quinone), input.missing missing, method score")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("method > 1", "is a text; compare it with =="),
        ("method", "is a number, not a condition"),
        ("mw == 'a'", "neither a property, a number"),
        ("input.date > '2024-01-01'", "texts have no order"),
        ("'a' in mw", "is a number, which holds no text"),
        ("'a' in 'abc'", "neither a property"),
        ("'a' == 'a'", "neither a property"),
        ("mw in alerts", "neither a property"),
        ("alerts", "is a number, not a condition"),
        ("input > 1", "no property input"),
        ("input[0] > 1", "no property input"),
        ("input.a.b > 1", "neither a property"),
        ("method.upper == 'A'", "neither a property"),
        ("MW > 1", r"no property MW \(did you mean mw\?\); it has mw, method"),
    ],
)
def test_what_is_no_condition(text, words):
    with pytest.raises(FilterError, match=words):
        Condition(text, KNOWN, inputs=True)


def test_input_records_only_where_there_are_any():
    with pytest.raises(FilterError, match="asks for input.pIC50, but here are no input records"):
        condition_of("input.pIC50 > 7", "generate")
    assert condition_of("input.pIC50 > 7", "conformers").names == ("input.pIC50",)


def test_splitting():
    early, late = Condition("mw > 1 and alerts == 0 and (mw < 5 or method == 'a')", KNOWN).split({"mw"}.__contains__)
    assert early.text == "mw > 1" and early.names == ("mw",)
    assert late.text == "alerts == 0 and (mw < 5 or method == 'a')" and late.names == ("alerts", "method", "mw")
    assert early({"mw": 0.5}) == "not mw > 1: mw 0.5" and early({"mw": 2}) is None
    whole = Condition("mw > 1 or alerts == 0", KNOWN)
    assert whole.split({"mw"}.__contains__)[0] is None and whole.split(KNOWN.__contains__)[1] is None
    assert whole.split(KNOWN.__contains__)[0].text == "mw > 1 or alerts == 0"


def test_what_is_not_computed_cannot_be_asked_for():
    check_computed(["mw", "strain_kcal_per_mol"], "none", False)
    check_computed(["energy_after_kcal_per_mol", "score_norm_per_angstrom"], "mmff", True)
    with pytest.raises(FilterError, match="ask for relax too"):
        check_computed(["energy_after_kcal_per_mol"], "none", True)
    with pytest.raises(FilterError, match="ask for uncertainty too"):
        check_computed(["score_norm_per_angstrom"], "mmff", False)


def test_no_number_is_nan():
    assert Condition("mw < 1 or mw > 1 or mw == 1", KNOWN)({"mw": math.nan}) is not None


def test_the_catalogue_is_consistent():
    for name, entry in PROPERTIES.items():
        assert entry.origin in ORIGINS and set(entry.records + entry.filters) <= set(COMMANDS) and entry.meaning, name
        assert name.isidentifier() or not entry.filters, name
        for word in ("kcal_per_mol", "angstrom", "percent", "nats_per_atom"):
            assert (word in name) <= bool(entry.unit), name
    assert {"qed", "sa", "strain_kcal_per_mol", "alerts", "unusual"} <= filterable("generate").keys()
    assert {"rank", "energy_kcal_per_mol", "qed"} <= filterable("conformers").keys()

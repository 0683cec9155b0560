import numpy as np
import pytest
from scipy.stats import norm
from small_molecules import judge_mol

from molscore.chem.arrays import MoleculeArrays
from molscore.evaluate.compare.geometry import (
    MEASURES,
    Distributions,
    compare,
    count,
    floors,
    interpolate_floor,
    keep_types,
)
from molscore.evaluate.compare.internal_coordinates import Coordinates, measure, type_code


def distributions(values, kind):
    codes = keep_types(values, kind)
    return Distributions(codes, count(values, codes, kind).astype(np.uint32), len(values.code))


def stretched(molecule: MoleculeArrays, factor: float) -> MoleculeArrays:
    return MoleculeArrays(
        molecule.atomic_numbers,
        molecule.formal_charges,
        molecule.positions * np.float32(factor),
        molecule.bonds,
        molecule.bond_orders,
    )


@pytest.fixture(scope="module")
def molecules(mols):
    return [judge_mol(mol).arrays for mol in mols]


def test_identical_molecules_are_at_distance_zero(molecules):
    for kind, values in measure(molecules).items():
        reference = distributions(values, kind)
        for name in MEASURES:
            distance = compare(count(values, reference.codes, kind), reference, kind, name, None)
            assert distance.value == pytest.approx(0, abs=1e-9)
            assert distance.types and distance.n_values > 0


def test_stretching_shifts_bond_lengths_and_nothing_else(molecules):
    values = measure(molecules)
    longer = measure([stretched(molecule, 1.1) for molecule in molecules])
    for kind in values:
        reference = distributions(values[kind], kind)
        distance = compare(count(longer[kind], reference.codes, kind), reference, kind, "wasserstein", None)
        if kind == "bond":
            frequent = np.isin(values[kind].code, [type_code(name) for name in distance.types])
            assert distance.value == pytest.approx(0.1 * values[kind].value[frequent].mean(), abs=2e-4)
            assert distance.coverage == pytest.approx(frequent.mean())
        else:
            assert distance.value < 0.02


def test_a_bond_stretched_by_a_tenth_of_an_angstrom(molecules):
    values = measure(molecules)["bond"]
    longer = Coordinates(values.molecule, values.code, values.value + 0.1)
    reference = distributions(values, "bond")
    distance = compare(count(longer, reference.codes, "bond"), reference, "bond", "wasserstein", None)
    assert distance.value == pytest.approx(0.1, abs=1e-4)
    assert all(value == pytest.approx(0.1, abs=1e-4) for value in distance.types.values())


def test_types_are_averaged_with_the_frequencies_of_the_reference():
    code = {name: type_code(name) for name in ("C-C", "C-O")}
    reference = Coordinates(
        np.zeros(4, int), np.array([code["C-C"]] * 3 + [code["C-O"]]), np.array([1.5, 1.5, 1.5, 1.4])
    )
    mine = Coordinates(np.zeros(3, int), np.array([code["C-C"], code["C-O"], code["C-O"]]), np.array([1.6, 1.7, 1.7]))
    theirs = distributions(reference, "bond")
    distance = compare(count(mine, theirs.codes, "bond"), theirs, "bond", "wasserstein", None)
    assert distance.value == pytest.approx(0.75 * 0.1 + 0.25 * 0.3)
    equal = compare(count(mine, theirs.codes, "bond"), theirs, "bond", "mmd", None)
    assert equal.value == pytest.approx(np.mean(list(equal.types.values())))


def test_types_that_are_missing_lower_the_coverage_and_say_nothing():
    reference = distributions(measure_of(["C-C"] * 3 + ["C-O"], [1.5, 1.5, 1.5, 1.4]), "bond")
    only = compare(count(measure_of(["C-O"], [1.4]), reference.codes, "bond"), reference, "bond", "wasserstein", None)
    assert (only.value, only.coverage, only.n_values) == (pytest.approx(0), 0.25, 1)
    none = compare(count(measure_of(["N-O"], [1.4]), reference.codes, "bond"), reference, "bond", "wasserstein", None)
    assert (none.value, none.coverage, none.n_values) == (None, 0, 0)


def measure_of(names, values) -> Coordinates:
    codes = np.array([type_code(name) for name in names])
    return Coordinates(np.zeros(len(names), int), codes, np.array(values))


def test_floor_is_the_expected_distance_of_a_sample():
    # one value a molecule: E W1 = sqrt(2/pi) * integral of sqrt(F(1-F)) * sqrt(1/n + 1/N) for large n
    n, total, sigma, repeats = 300, 2000, 0.05, 100
    values = Coordinates(
        np.arange(total), np.full(total, type_code("C-C")), np.random.default_rng(0).normal(1.5, sigma, size=total)
    )
    x = np.linspace(-8, 8, 4001)
    integral = sigma * np.trapezoid(np.sqrt(norm.cdf(x) * norm.sf(x)), x)
    expected = np.sqrt(2 / np.pi) * integral * np.sqrt(1 / n + 1 / total)
    figures = floors({"bond": values}, total, [n], repeats)
    # W1 scatters by about half its mean: 4 standard errors of 100 draws
    assert figures["bond_wasserstein"][0] == pytest.approx(expected, rel=4 * 0.5 / np.sqrt(repeats))
    assert np.isnan(figures["angle_mmd"]).all()


def test_floor_draws_whole_molecules():
    # ten equal values a molecule are one sample, not ten
    single = np.random.default_rng(0).normal(1.5, 0.05, size=500)
    code = type_code("C-C")
    once = Coordinates(np.arange(500), np.full(500, code), single)
    repeated = Coordinates(np.repeat(np.arange(500), 10), np.full(5000, code), np.repeat(single, 10))
    figures = [floors({"bond": values}, 500, [100], 5)["bond_wasserstein"][0] for values in (once, repeated)]
    assert figures[0] == pytest.approx(figures[1], rel=1e-9)


def test_floor_between_sizes():
    sizes, values = np.array([10, 1000]), np.array([1.0, 0.1])
    assert interpolate_floor(sizes, values, 100) == pytest.approx(np.sqrt(0.1))
    assert interpolate_floor(sizes, values, 10**6) == pytest.approx(0.1)
    assert interpolate_floor(sizes, np.array([np.nan, np.nan]), 100) is None
    assert interpolate_floor(sizes, values, 0) is None

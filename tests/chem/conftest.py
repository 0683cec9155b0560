"""Molecules to test chemistry on, embedded by RDKit with a fixed seed, and texts to read them from."""

import gzip
import io
from functools import cache

import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdForceFieldHelpers import MMFFOptimizeMolecule

from molscore.chem.io.inputs import read_inputs
from molscore.chem.io.protein import read_protein
from molscore.chem.prepare import whole


@cache
def _embed(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    MMFFOptimizeMolecule(mol)
    return mol


@pytest.fixture(scope="session")
def embed():
    """Function from SMILES to a relaxed 3-D molecule with explicit hydrogens (a copy each time)."""
    return lambda smiles: Chem.Mol(_embed(smiles))


def parse(text):
    """The molecule of a SMILES, hydrogens as written."""
    parameters = Chem.SmilesParserParams()
    parameters.removeHs = False
    return Chem.MolFromSmiles(text, parameters)


def prepare(text):
    """The largest fragment of a SMILES, every hydrogen an atom."""
    return whole(parse(text)).mol


def elements(mol):
    """Symbols of the atoms."""
    return [atom.GetSymbol() for atom in mol.GetAtoms()]


def smiles(entries):
    """Canonical SMILES of the entries, None where there is no molecule."""
    return [Chem.MolToSmiles(e.mol) if e.mol else None for e in entries]


def read(text, form=None, **options):
    """The entries of a text, given as standard input."""
    return list(read_inputs("-", form=form, stream=io.StringIO(text), **options))


def put(tmp_path, name, data):
    """Writes a file, compressed if its name says so; its path as text."""
    data = data if isinstance(data, bytes) else data.encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.lower().endswith(".gz") else data)
    return str(path)


@pytest.fixture(scope="session")
def peptide():
    """Gly-Ala-Asp-His of RDKit's, hydrogens and all, 29 heavy atoms less one."""
    mol = Chem.AddHs(Chem.MolFromSequence("GADH"), addResidueInfo=True)
    assert EmbedMolecule(mol, randomSeed=7) == 0
    return mol


@pytest.fixture(scope="session")
def lines(peptide):
    return [
        line for line in Chem.MolToPDBBlock(peptide).splitlines(keepends=True) if line.startswith(("ATOM", "HETATM"))
    ]


@pytest.fixture
def protein(lines, tmp_path):
    """Function from further lines to what is read of the peptide and them."""

    def read(*more):
        path = tmp_path / "protein.pdb"
        path.write_text("".join([*lines, *more, "END\n"]))
        return read_protein(path)

    return read

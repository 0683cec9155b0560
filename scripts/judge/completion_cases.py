"""Cases of completion: fragments to join and Murcko scaffolds to grow, with the molecules that they were cut from."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import AllChem
from rdkit.Chem.Scaffolds import MurckoScaffold


@dataclass(frozen=True)
class Case:
    """What is to be completed: a name, options of the product, and the answer, which only the judge sees."""

    name: str
    molecule: str
    options: dict[str, Any]
    reference: Chem.Mol


def records(path: Path) -> list[Chem.Mol]:
    """The molecules of an SDF file."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return [mol for mol in Chem.ForwardSDMolSupplier(file) if mol is not None]


def linkers(path: Path) -> Iterator[Case]:
    """Pairs of fragments and the atoms that are to be joined."""
    mols = records(path)
    groups: dict[str, list[Chem.Mol]] = {}
    for mol in mols:
        groups.setdefault(Chem.CanonSmiles(mol.GetProp("reference_smiles")), []).append(mol)
    for k, mol in enumerate(mols):
        anchors = tuple(int(x) for x in mol.GetProp("anchors").split(","))
        smiles = Chem.CanonSmiles(mol.GetProp("reference_smiles"))
        bare = Chem.Mol(mol)
        for name in list(bare.GetPropNames()):
            bare.ClearProp(name)
        yield Case(f"{k}", smiles, {"link": bare, "anchors": anchors}, pose(smiles, groups[smiles]))


def pose(smiles: str, pieces: Sequence[Chem.Mol]) -> Chem.Mol:
    """The whole molecule in 3-D, if the fragments that different cuts leave show all of its atoms; else without a pose.

    Records of one molecule are of one conformation, in one frame. Bonds between atoms that no record has side by side
    are those of atoms closer than 1.3 times the sum of their covalent radii.
    """
    template, table = Chem.MolFromSmiles(smiles), Chem.GetPeriodicTable()
    atoms: dict[tuple[float, ...], int] = {}
    mol = Chem.RWMol()
    for piece in pieces:
        for atom, x in zip(piece.GetAtoms(), piece.GetConformer().GetPositions().round(3).tolist(), strict=True):
            if tuple(x) not in atoms:
                atoms[tuple(x)] = mol.AddAtom(Chem.Atom(atom.GetAtomicNum()))
    if mol.GetNumAtoms() != template.GetNumAtoms():
        return template
    positions = np.array(list(atoms))
    radii = np.array([table.GetRcovalent(atom.GetAtomicNum()) for atom in mol.GetAtoms()])
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    for i, j in np.argwhere(np.triu(apart < 1.3 * (radii[:, None] + radii[None]), k=1)).tolist():
        mol.AddBond(i, j, Chem.BondType.SINGLE)
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(positions)
    mol.AddConformer(conformer)
    try:
        whole = AllChem.AssignBondOrdersFromTemplate(template, mol.GetMol())
        Chem.SanitizeMol(whole)
    except (ValueError, RuntimeError):
        return template
    return whole


def scaffolds(path: Path) -> Iterator[Case]:
    """Murcko scaffolds of molecules in 3-D, with their poses and without; atoms are missing at two places at least."""
    for k, mol in enumerate(records(path)):
        mol = Chem.RemoveHs(mol)
        core = mol.GetSubstructMatch(MurckoScaffold.GetScaffoldForMol(mol))
        ends = {a for a in core for b in mol.GetAtomWithIdx(a).GetNeighbors() if b.GetIdx() not in core}
        if not core or len(ends) < 2 or mol.GetNumHeavyAtoms() > 35:
            continue
        part = Chem.RWMol(mol)
        for atom in sorted(set(range(mol.GetNumAtoms())) - set(core), reverse=True):
            part.RemoveAtom(atom)
        place = {old: new for new, old in enumerate(sorted(core))}
        marked = Chem.RWMol(part)
        for a in ends:
            marked.AddBond(place[a], marked.AddAtom(Chem.Atom(0)), Chem.BondType.SINGLE)
        if Chem.SanitizeMol(part, catchErrors=True) or Chem.SanitizeMol(marked, catchErrors=True):
            continue
        forget_stereo(marked, [place[a] for a in ends])
        smiles = Chem.MolToSmiles(mol)
        yield Case(f"{k} posed", smiles, {"scaffold": part.GetMol(), "attach": tuple(place[a] for a in ends)}, mol)
        yield Case(f"{k} free", smiles, {"scaffold": Chem.MolToSmiles(marked)}, mol)


def forget_stereo(marked: Chem.RWMol, ends: Sequence[int]) -> None:
    """Takes away the stereo that what grows at these atoms decides as well."""
    for atom in map(marked.GetAtomWithIdx, ends):
        if sum(other.GetAtomicNum() > 0 for other in atom.GetNeighbors()) < 3:
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        for bond in atom.GetBonds():
            bond.SetStereo(Chem.BondStereo.STEREONONE)
            bond.SetBondDir(Chem.BondDir.NONE)
        for bond in (bond for other in atom.GetNeighbors() for bond in other.GetBonds()):
            bond.SetBondDir(Chem.BondDir.NONE)

"""Lines of structures, and ligands to lay in them."""

import numpy as np
from rdkit import Chem


def atom(name, residue, number, xyz, *, record="HETATM", chain="A", alternate=" ", occupancy=1.0, element="", code=" "):
    """A line of a PDB file."""
    place = "".join(f"{x:8.3f}" for x in xyz)
    start = f"{record:6}{1:5} {name:<4}{alternate}{residue:>3} {chain}{number:4}{code}   "
    return f"{start}{place}{occupancy:6.2f}{0:6.2f}          {element:>2}\n"


def single_atom(symbol, xyz):
    """A molecule of a single atom."""
    mol = Chem.MolFromSmiles(f"[{symbol}]")
    conformer = Chem.Conformer(1)
    conformer.SetAtomPosition(0, [float(x) for x in xyz])
    mol.AddConformer(conformer)
    return mol


def moved(mol, shift):
    copy = Chem.Mol(mol)
    copy.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.asarray(shift, dtype=float))
    return copy


def as_hetero(mol, number=301):
    """The lines of a ligand, heavy atoms and hydrogens."""
    return [
        atom(f"{a.GetSymbol()}{a.GetIdx()}", "LIG", number, xyz, element=a.GetSymbol())
        for a, xyz in zip(mol.GetAtoms(), mol.GetConformer().GetPositions(), strict=True)
    ]

"""Interaction fingerprints of scored poses by ProLIF: which residues each pose touches, and how.

    pip install 'molscore3d[prolif]'
    python scripts/examples/handoff/prolif_fingerprint.py scored.sdf protein.pdb --reference ligand.sdf

A row for each pose: its place in the file, its title, ``tanimoto_to_reference`` if there is a reference, and a column
of 0 and 1 for each residue and interaction that any of them has. A protein without hydrogens gets them from RDKit,
neutral; give one with hydrogens where charges matter.

Source: Bouysset and Fiorucci, J. Cheminform. 13, 72 (2021).
"""

import argparse
from pathlib import Path

import pandas as pd
import prolif
from rdkit import Chem, DataStructs

from molscore.chem.io.sdf_reader import read_sdf


def protein_of(path: Path) -> prolif.Molecule:
    """A protein from a PDB file, with hydrogens."""
    mol = Chem.MolFromPDBFile(str(path), removeHs=False)
    if mol is None:
        raise ValueError(f"RDKit cannot read {path}")
    if not any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()):
        mol = Chem.AddHs(mol, addCoords=True, addResidueInfo=True)
    return prolif.Molecule.from_rdkit(mol)


def fingerprints(poses: list[Chem.Mol], protein: prolif.Molecule, reference: Chem.Mol | None = None) -> pd.DataFrame:
    """A row for each pose, see the docstring of this file."""
    fingerprint = prolif.Fingerprint()
    mols = [*poses, *([] if reference is None else [reference])]
    ligands = [prolif.Molecule.from_rdkit(mol) for mol in mols]
    fingerprint.run_from_iterable(ligands, protein, progress=False, n_jobs=1)
    bits = fingerprint.to_dataframe().astype(int)
    bits.columns = [f"{residue} {kind}" for _, residue, kind in bits.columns]
    bits.insert(0, "title", [mol.GetProp("_Name") for mol in mols])
    if reference is not None:
        *others, known = fingerprint.to_bitvectors()
        bits = bits.iloc[:-1]
        bits.insert(1, "tanimoto_to_reference", DataStructs.BulkTanimotoSimilarity(known, others))
    return bits


def main(words: list[str] | None = None) -> None:
    """Writes the table; arguments as on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("poses", type=Path, help="SDF file")
    parser.add_argument("protein", type=Path, help="PDB file")
    parser.add_argument("--reference", type=Path, help="SDF file of a known ligand where it lies")
    parser.add_argument("--out", type=Path, default=Path("contacts.csv"))
    chosen = parser.parse_args(words)
    records = [record for record in read_sdf(chosen.poses) if record.mol is not None]
    reference = None if chosen.reference is None else next(read_sdf(chosen.reference)).mol
    table = fingerprints([record.mol for record in records], protein_of(chosen.protein), reference)
    table.insert(0, "record", [record.index + 1 for record in records])
    table.to_csv(chosen.out, index=False)
    print(f"{len(table)} poses in {chosen.out}")


if __name__ == "__main__":
    main()

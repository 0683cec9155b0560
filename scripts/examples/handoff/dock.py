"""From SMILES to docked and scored poses: molscore conformers, meeko, AutoDock Vina, molscore score.

    pip install 'molscore3d[docking]'
    python scripts/examples/handoff/dock.py ligands.smi protein.pdb --around ligand.sdf --out scored.sdf

1. ``molscore conformers``: a few starts of each ligand. Vina turns torsions, but leaves rings as they come.
2. meeko: protein and ligands as PDBQT. Protonate ligands as you want them before; nothing here changes them.
3. Vina (Eberhardt et al., J. Chem. Inf. Model. 61, 3891, 2021): the best poses of each start.
4. ``molscore score --protein``: how plausible each pose is, its clashes and contacts.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from meeko import (
    MoleculePreparation,
    PDBQTMolecule,
    PDBQTWriterLegacy,
    Polymer,
    RDKitMolCreate,
    ResidueChemTemplates,
)
from rdkit import Chem
from vina import Vina

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_writer import SDFWriter


def molscore(*words: object) -> None:
    """Runs a command of molscore."""
    subprocess.run([sys.executable, "-m", "molscore", *map(str, words), "--quiet"], check=True)


def receptor(protein: Path) -> str:
    """The protein as rigid PDBQT, hydrogens added by meeko's templates; residues without one are left out."""
    templates = ResidueChemTemplates.create_from_defaults()
    polymer = Polymer.from_pdb_string(
        protein.read_text(), templates, MoleculePreparation(), allow_bad_res=True, default_altloc="A"
    )
    rigid, _ = PDBQTWriterLegacy.write_string_from_polymer(polymer)
    return rigid


def ligand(mol: Chem.Mol) -> str:
    """A molecule with hydrogens as PDBQT."""
    text, good, complaint = PDBQTWriterLegacy.write_string(MoleculePreparation().prepare(mol)[0])
    if not good:
        raise ValueError(f"meeko: {complaint}")
    return text


def poses(vina: Vina, mol: Chem.Mol, exhaustiveness: int, n: int) -> Iterator[tuple[Chem.Mol, float]]:
    """Poses of a molecule, all hydrogens placed, with their score in kcal/mol, the best first."""
    vina.set_ligand_from_string(ligand(mol))
    vina.dock(exhaustiveness=exhaustiveness, n_poses=n)
    docked = PDBQTMolecule(vina.poses(n_poses=n), skip_typing=True)
    (all_poses,) = RDKitMolCreate.from_pdbqt_mol(docked)
    for conformer, (energy, *_) in zip(all_poses.GetConformers(), vina.energies(n_poses=n), strict=True):
        yield Chem.Mol(all_poses, False, conformer.GetId()), float(energy)


def main(words: list[str] | None = None) -> None:
    """Docks; arguments as on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ligands", help="SMILES, or a file that molscore conformers reads")
    parser.add_argument("protein", type=Path, help="PDB file")
    box = parser.add_mutually_exclusive_group(required=True)
    box.add_argument("--around", type=Path, help="SDF file of a ligand: the box is where it lies, and 6 Å more")
    box.add_argument("--center", type=float, nargs=3, metavar="Å", help="of a box of 20 Å")
    parser.add_argument("--out", type=Path, default=Path("scored.sdf"))
    parser.add_argument("--starts", type=int, default=3, help="conformers of each ligand")
    parser.add_argument("--poses", type=int, default=3, help="of each start")
    parser.add_argument("--exhaustiveness", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(words)
    center, size = np.array(chosen.center or np.zeros(3)), np.full(3, 20.0)
    if chosen.around is not None:
        xyz = next(read_sdf(chosen.around)).mol.GetConformer().GetPositions()
        center, size = (xyz.min(0) + xyz.max(0)) / 2, np.ptp(xyz, 0) + 12.0
    with TemporaryDirectory() as folder:
        starts, docked = Path(folder, "starts.sdf"), Path(folder, "poses.sdf")
        molscore("conformers", chosen.ligands, "--n", chosen.starts, "--out", starts)
        (protein := Path(folder, "protein.pdbqt")).write_text(receptor(chosen.protein))
        vina = Vina(seed=chosen.seed, verbosity=0)
        vina.set_receptor(str(protein))
        vina.compute_vina_maps(center=center.tolist(), box_size=size.tolist())
        with SDFWriter(docked) as writer:
            for record in read_sdf(starts):
                kept = {"start_rank": record.mol.GetProp("rank"), "SMILES": record.mol.GetProp("SMILES")}
                for pose, energy in poses(vina, record.mol, chosen.exhaustiveness, chosen.poses):
                    writer.write(pose, record.mol.GetProp("_Name"), {**kept, "vina_kcal_per_mol": energy})
        molscore("score", docked, "--protein", chosen.protein, "--out", chosen.out)
    print(f"{writer.count} poses in {chosen.out}")


if __name__ == "__main__":
    main()

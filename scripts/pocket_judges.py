"""Judges of molecules in pockets that know nothing of what guided them: PoseBusters, PoseCheck's figures, Vina, ProLIF.

* Clashes as PoseCheck counts them (Harris et al., "Benchmarking generated poses", arXiv:2308.07413, 2023): pairs of
  atoms of molecule and protein, hydrogens too where there are any, closer than the sum of their radii less 0.5 Å.
* Strain by its definition: UFF energy after a relaxation in which no atom moves by more than 0.1 Å without a penalty,
  less that of the best of 50 conformers, each relaxed.
* Vina (Eberhardt et al., J. Chem. Inf. Model. 61, 3891, 2021): score after minimisation in place, kcal/mol.
* Hydrogen bonds by ProLIF (Bouysset and Fiorucci, J. Cheminform. 13, 72, 2021), as residue and role.

Needs the extras ``docking`` and ``prolif``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom
from rdkit.Chem import rdForceFieldHelpers as forcefield
from scipy.spatial.distance import cdist

from molscore import extras

TOLERANCE, DISPLACEMENT, CONFORMERS = 0.5, 0.1, 50
STEPS = 2000
_TABLE = Chem.GetPeriodicTable()
BUSTED = ("file", "molecule", "position", "mol_pred_loaded", "mol_cond_loaded")


def needed() -> None:
    """Raises ImportError with what to install, if something is not there."""
    for package in ("vina", "meeko"):
        extras.check(package, "docking", "Vina")
    extras.check("prolif", "prolif", "ProLIF")


def clashes(mol: Chem.Mol, protein: Chem.Mol) -> int:
    """Pairs of atoms that overlap, as PoseCheck counts them; hydrogens count where there are any."""
    radii = [np.array([_TABLE.GetRvdw(a.GetAtomicNum()) for a in m.GetAtoms()]) for m in (mol, protein)]
    distances = cdist(*(m.GetConformer().GetPositions() for m in (mol, protein)))
    return int((distances + TOLERANCE < radii[0][:, None] + radii[1]).sum())


def strain(mol: Chem.Mol) -> float | None:
    """UFF strain in kcal/mol by PoseCheck's definition; None if UFF has no parameters."""
    with rdBase.BlockLogs():
        if not forcefield.UFFHasAllMoleculeParams(mol):
            return None
        held = Chem.Mol(mol)
        field = forcefield.UFFGetMoleculeForceField(held)
        field.Initialize()
        for index in range(held.GetNumAtoms()):
            field.UFFAddPositionConstraint(index, maxDispl=DISPLACEMENT, forceConstant=1)
        field.Minimize()
        local = forcefield.UFFGetMoleculeForceField(held).CalcEnergy()
        free = Chem.Mol(mol)
        parameters = rdDistGeom.ETKDGv3()
        parameters.randomSeed = 1
        if not len(rdDistGeom.EmbedMultipleConfs(free, CONFORMERS, parameters)):
            return None
        return local - min(energy for _, energy in forcefield.UFFOptimizeMoleculeConfs(free))


def relaxation(mol: Chem.Mol) -> float | None:
    """By how many kcal/mol UFF's energy falls from the pose as it is to the nearest minimum; None without parameters.

    That is what the paper on PoseCheck calls strain (Harris et al., arXiv:2308.07413); `strain` is what its code does.
    """
    with rdBase.BlockLogs():
        if not forcefield.UFFHasAllMoleculeParams(mol):
            return None
        free = Chem.Mol(mol)
        field = forcefield.UFFGetMoleculeForceField(free)
        field.Initialize()
        before = field.CalcEnergy()
        field.Minimize(maxIts=STEPS)
        return before - field.CalcEnergy()


def busted(mols: Sequence[Chem.Mol], protein: Path) -> list[dict[str, bool]]:
    """Checks of PoseBusters' configuration ``dock``, by name, of each molecule."""
    from posebusters import PoseBusters

    table = PoseBusters(config="dock").bust(list(mols), None, protein)
    columns = [name for name in table.columns if name not in BUSTED]
    return [{name: bool(row[name]) for name in columns} for _, row in table.iterrows()]


def receptor(protein: Chem.Mol) -> str:
    """A protein as rigid PDBQT: heavy atoms and polar hydrogens, with the types that Vina looks at, without charges.

    meeko's own preparation leaves out every residue that has an atom too few or too many, and with it a wall of the
    pocket. Carboxylates are taken without hydrogens.
    """
    mol = Chem.AddHs(Chem.RemoveHs(protein), addCoords=True, addResidueInfo=True)
    lines, places = [], mol.GetConformer().GetPositions()
    for atom in mol.GetAtoms():
        number, info = atom.GetAtomicNum(), atom.GetPDBResidueInfo()
        (bearer, *_) = [*atom.GetNeighbors(), None]
        if number == 1:
            acid = bearer is not None and bearer.GetPDBResidueInfo().GetName().strip()[:2] in ("OD", "OE", "OX")
            if bearer is None or bearer.GetAtomicNum() not in (7, 8) or acid and bearer.GetAtomicNum() == 8:
                continue
        hydrogens = any(other.GetAtomicNum() == 1 for other in atom.GetNeighbors())
        accepts = number == 7 and not hydrogens and atom.GetDegree() < 3
        kinds = {1: "HD", 6: "A" if atom.GetIsAromatic() else "C", 7: "NA" if accepts else "N", 8: "OA", 16: "SA"}
        place = "".join(f"{x:8.3f}" for x in places[atom.GetIdx()])
        name = info.GetName().strip()[:4] if info is not None else atom.GetSymbol()
        residue = f"{info.GetResidueName().strip():>3.3} {info.GetChainId():1.1}{info.GetResidueNumber():4d}"
        kind = kinds.get(number, atom.GetSymbol())
        lines.append(
            f"ATOM  {len(lines) % 99999 + 1:5d} {name:^4} {residue}    {place}  1.00  0.00     0.000 {kind:<2}"
        )
    return "\n".join(lines) + "\n"


class Docker:
    """Vina with a rigid protein.

    Args:
        protein: of RDKit, of a PDB file; see `receptor`.
        centre: (3,) Å, of the box.
        size: (3,) Å, of the box.
        folder: for the receptor's file.
    """

    def __init__(self, protein: Chem.Mol, centre: np.ndarray, size: np.ndarray, folder: Path):
        from vina import Vina

        (path := folder / "receptor.pdbqt").write_text(receptor(protein))
        self.vina: Any = Vina(cpu=1, seed=1, verbosity=0)
        self.vina.set_receptor(str(path))
        self.vina.compute_vina_maps(center=centre.tolist(), box_size=size.tolist())

    def minimised(self, mol: Chem.Mol) -> float | None:
        """Score after minimisation in place, kcal/mol; None if Vina cannot take it there."""
        try:
            self._set(mol)
            return float(self.vina.optimize()[0])
        except (RuntimeError, TypeError, ValueError):  # elements that Vina does not know among them
            return None

    def docked(self, mol: Chem.Mol, exhaustiveness: int = 1) -> tuple[float, Chem.Mol] | None:
        """Score of the best pose, kcal/mol, and the pose; None if Vina finds none."""
        from meeko import PDBQTMolecule, RDKitMolCreate

        try:
            self._set(mol)
            self.vina.dock(exhaustiveness=exhaustiveness, n_poses=1)
            (pose,) = RDKitMolCreate.from_pdbqt_mol(PDBQTMolecule(self.vina.poses(n_poses=1), skip_typing=True))
            return float(self.vina.energies(n_poses=1)[0][0]), pose
        except (RuntimeError, TypeError, ValueError):  # elements that Vina does not know among them
            return None

    def _set(self, mol: Chem.Mol) -> None:
        from meeko import MoleculePreparation, PDBQTWriterLegacy

        text, good, complaint = PDBQTWriterLegacy.write_string(MoleculePreparation().prepare(mol)[0])
        if not good:
            raise ValueError(f"meeko: {complaint}")
        self.vina.set_ligand_from_string(text)


def hydrogen_bonds(mols: Sequence[Chem.Mol], protein: Chem.Mol) -> list[set[str]]:
    """Hydrogen bonds of each molecule: residue and role, such as ``ASP189.A HBDonor``.

    Args:
        mols: with hydrogens, in the frame of the protein.
        protein: of RDKit, of a PDB file; without hydrogens it gets them.
    """
    import prolif

    if not any(atom.GetAtomicNum() == 1 for atom in protein.GetAtoms()):
        protein = Chem.AddHs(protein, addCoords=True, addResidueInfo=True)
    protein, numbers = Chem.Mol(protein), [a.GetPDBResidueInfo().GetResidueNumber() for a in protein.GetAtoms()]
    for atom, number in zip(protein.GetAtoms(), numbers, strict=True):  # ProLIF knows no negative ones
        atom.GetPDBResidueInfo().SetResidueNumber(number - min(0, *numbers))
    fingerprint = prolif.Fingerprint(["HBDonor", "HBAcceptor"])
    around = prolif.Molecule.from_rdkit(protein)
    ligands = [prolif.Molecule.from_rdkit(mol) for mol in mols]
    fingerprint.run_from_iterable(ligands, around, progress=False, n_jobs=1)
    return [
        {f"{residue} {kind}" for (_, residue), kinds in fingerprint.ifp[k].items() for kind in kinds}
        for k in range(len(mols))
    ]


def around(protein: Path, centre: np.ndarray, radius: float, out: Path | None = None) -> Chem.Mol:
    """The residues of a PDB file with an atom within a radius of a point, as a molecule of RDKit, and as a file."""
    lines = [line for line in protein.read_text().splitlines(keepends=True) if line.startswith(("ATOM", "HETATM"))]
    places = np.array([[float(line[k : k + 8]) for k in (30, 38, 46)] for line in lines])
    near = np.linalg.norm(places - centre, axis=1) <= radius
    wanted = {line[17:27] for line, close in zip(lines, near, strict=True) if close}
    text = "".join(line for line in lines if line[17:27] in wanted)
    if out is not None:
        out.write_text(text)
    mol = Chem.MolFromPDBBlock(text, removeHs=False)
    if mol is None:
        raise ValueError(f"RDKit cannot read {protein}")
    return mol

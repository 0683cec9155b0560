"""Small sound files of every kind that the program reads."""

import gzip
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from Bio.PDB import MMCIFIO, PDBParser
from rdkit import Chem

from molscore.chem.arrays import from_mol
from molscore.chem.embedding.etkdg import embed
from molscore.datasets.tensorfile import pack, write_tensorfile
from molscore.model.config import DiffusionConfig
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.files import save
from molscore.network.network import NetworkConfig

SMILES = ("CC(=O)NC", "C[C@H](N)C(=O)O", "c1ccncc1O")


def sources() -> dict[str, bytes]:
    """Name to content: sound files, of every kind of reader."""
    mols = [embed(smiles) for smiles in SMILES]
    old, new = (_sdf(mols, v3000) for v3000 in (False, True))
    table = 'id,smiles,note\n"a, b",CC(=O)NC,"two\nlines"\nc,c1ccncc1O,">10000"\n,nonsense(,\n'
    peptide = Chem.MolFromSequence("GAD")
    peptide.AddConformer(_line(peptide.GetNumAtoms()))
    pdb = Chem.MolToPDBBlock(peptide)
    config = (Path(__file__).parents[2] / "configs" / "qm9.yaml").read_bytes()
    return {
        "old.sdf": old,
        "new.sdf": new,
        "packed.sdf.gz": gzip.compress(old, mtime=0),
        "single.mol": old.partition(b"$$$$")[0],
        "list.smi": "CC(=O)NC amide\nC[C@H](N)C(=O)O alanine µ\n# comment\nCC |$a;b$| labelled\nc1cc\n".encode(),
        "list.smi.gz": gzip.compress(b"CCO a\nCCN b\n" * 20, mtime=0),
        "table.csv": table.encode(),
        "excel.csv": ("sep=;\n" + table.replace(",", ";")).encode("utf-16"),
        "protein.pdb": pdb.encode(),
        "protein.cif": _mmcif(pdb),
        "set.safetensors": _tensors(mols),
        "model.safetensors": _model(),
        "config.yaml": config,
    }


def _sdf(mols: list[Chem.Mol], v3000: bool) -> bytes:
    stream = io.StringIO()
    writer = Chem.SDWriter(stream)
    writer.SetForceV3000(v3000)
    for k, mol in enumerate(mols):
        mol = Chem.Mol(mol)
        mol.SetProp("_Name", f"title {k}")
        mol.SetProp("limit", ">10000")
        mol.SetProp("note", "two\nlines µ")
        writer.write(mol)
    writer.close()
    return stream.getvalue().encode()


def _line(n: int) -> Chem.Conformer:
    """Atoms on a helix, far enough from one another."""
    conformer = Chem.Conformer(n)
    for k in range(n):
        conformer.SetAtomPosition(k, (3.0 * np.cos(k), 3.0 * np.sin(k), 1.5 * k))
    return conformer


def _mmcif(pdb: str) -> bytes:
    writer, stream = MMCIFIO(), io.StringIO()
    writer.set_structure(PDBParser(QUIET=True).get_structure("x", io.StringIO(pdb)))
    writer.save(stream)
    return stream.getvalue().encode()


def _tensors(mols: list[Chem.Mol]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "set.safetensors"
        arrays = [from_mol(mol) for mol in mols * 4]
        split = np.arange(len(arrays)) % 3
        write_tensorfile(path, pack(arrays, split, np.arange(len(arrays))), {"source": "test", "hydrogens": "atoms"})
        return path.read_bytes()


def _model() -> bytes:
    torch.manual_seed(0)
    network = NetworkConfig(
        irreps="4x0e + 2x1o", pair_channels=4, layers=1, heads=2, radial=4, vectors=2, condition_channels=4
    )
    model = MoleculeDiffusion(DiffusionConfig(network=network), [(1, 0), (6, 0)], torch.tensor([0.0, 0.5, 0.5]))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save(model, path, {"molecules": 1, "seconds": 1.0, "hardware": "none"})
        return path.read_bytes()

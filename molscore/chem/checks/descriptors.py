"""What a medicinal chemist asks of a molecule first: drug-likeness, ease of synthesis, size, polarity, rings.

QED: Bickerton et al., Nature Chemistry 4, 90 (2012). SA score, 1 easy to 10 hard: Ertl and Schuffenhauer, J.
Cheminformatics 1, 8 (2009), as RDKit's contributed code has it. logP: Wildman and Crippen, J. Chem. Inf. Comput. Sci.
39, 868 (1999).
"""

import gzip
import importlib.util
import pickle
import warnings
from collections.abc import Callable
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors


class Contributions:
    """Contributions of fragments to the SA score, by the hash of their Morgan environment.

    The script fills a dictionary with them, which takes a fifth of a second in every process; arrays take a sixth.

    Args:
        path: RDKit's file: rows of a contribution and all hashes that make it.
    """

    def __init__(self, path: Path):
        rows = pickle.loads(gzip.decompress(path.read_bytes()))
        counts = [len(row) - 1 for row in rows]
        hashes = np.fromiter(chain.from_iterable(row[1:] for row in rows), np.int64, sum(counts))
        order = np.argsort(hashes)
        self.hashes, self.values = hashes[order], np.repeat([float(row[0]) for row in rows], counts)[order]

    def get(self, number: int, default: float) -> float:
        """The contribution of a fragment, as of a dictionary."""
        place = np.searchsorted(self.hashes, number)
        return float(self.values[place]) if place < len(self.hashes) and self.hashes[place] == number else default


@cache
def _scorer() -> Callable[[Chem.Mol], float]:
    """RDKit ships the SA score as a script beside the package."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module)["_fscores"] = Contributions(path.with_name("fpscores.pkl.gz"))
    return module.calculateScore


def sa_score(mol: Chem.Mol) -> float:
    """Synthetic accessibility, 1 (easy) to 10 (hard)."""
    with rdBase.BlockLogs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(_scorer()(mol))


DESCRIPTORS: dict[str, Callable[[Chem.Mol], float]] = {
    "qed": QED.qed,
    "sa": sa_score,
    "logp": Crippen.MolLogP,  # type: ignore[attr-defined]  # RDKit's stubs lack it
    "mw": Descriptors.MolWt,  # type: ignore[attr-defined]  # and this
    "tpsa": rdMolDescriptors.CalcTPSA,
    "hbd": rdMolDescriptors.CalcNumHBD,
    "hba": rdMolDescriptors.CalcNumHBA,
    "rotatable": rdMolDescriptors.CalcNumRotatableBonds,
    "rings": rdMolDescriptors.CalcNumRings,
    "aromatic_rings": rdMolDescriptors.CalcNumAromaticRings,
    "heavy": rdMolDescriptors.CalcNumHeavyAtoms,
    "fsp3": rdMolDescriptors.CalcFractionCSP3,
    "stereocentres": rdMolDescriptors.CalcNumAtomStereoCenters,
    "charge": Chem.GetFormalCharge,
}
"""Name -> function of a sanitised molecule without explicit hydrogens; units: `molscore.chem.checks.catalogue`."""


def describe(mol: Chem.Mol, names: tuple[str, ...] = tuple(DESCRIPTORS)) -> dict[str, float]:
    """Descriptors of one molecule.

    Args:
        mol: sanitised; hydrogens explicit or not. It is left as it is.
        names: which ones.
    """
    with rdBase.BlockLogs():
        bare = Chem.RemoveHs(mol)
        return {name: float(DESCRIPTORS[name](bare)) for name in names}

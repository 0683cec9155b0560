"""What a medicinal chemist asks of a molecule first: drug-likeness, ease of synthesis, size, polarity, rings.

QED: Bickerton et al., Nature Chemistry 4, 90 (2012). SA score, 1 easy to 10 hard: Ertl and Schuffenhauer, J.
Cheminformatics 1, 8 (2009), as RDKit's contributed code has it. logP: Wildman and Crippen, J. Chem. Inf. Comput. Sci.
39, 868 (1999).
"""

import importlib.util
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors


@cache
def _scorer() -> Callable[[Chem.Mol], float]:
    """RDKit ships the SA score as a script beside the package."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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
"""Name -> function of a sanitised molecule without explicit hydrogens. Units: mw g/mol, tpsa Å²; the rest have none."""


def describe(mol: Chem.Mol, names: tuple[str, ...] = tuple(DESCRIPTORS)) -> dict[str, float]:
    """Descriptors of one molecule.

    Args:
        mol: sanitised; hydrogens explicit or not. It is left as it is.
        names: which ones.
    """
    with rdBase.BlockLogs():
        bare = Chem.RemoveHs(mol)
        return {name: float(DESCRIPTORS[name](bare)) for name in names}

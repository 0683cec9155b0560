"""SC_RDKit: how alike two molecules are in shape and chemical features, as they lie.

The mean of two numbers between 0 and 1: the score of one's features (donors, acceptors, charges, aromatic and
hydrophobic places) on the map of the other's (Putta, Landrum & Penzotti, J. Med. Chem. 48, 3313, 2005), over the
smaller number of features; and 1 less the share of one's volume that protrudes from the other's. As used by Imrie et
al. for DeLinker (J. Chem. Inf. Model. 60, 1983, 2020), whole molecules; nothing is re-aligned here.
"""

from functools import cache
from pathlib import Path

from rdkit import Chem, RDConfig
from rdkit.Chem import ChemicalFeatures, rdShapeHelpers
from rdkit.Chem.FeatMaps import FeatMaps

KINDS = (
    "Donor",
    "Acceptor",
    "NegIonizable",
    "PosIonizable",
    "ZnBinder",
    "Aromatic",
    "Hydrophobe",
    "LumpedHydrophobe",
)


def sc_rdkit(mol: Chem.Mol, reference: Chem.Mol) -> float:
    """Between 0 and 1; both molecules sanitised, with a conformer, in one frame. Heavy atoms count."""
    mol, reference = (Chem.RemoveHs(m) for m in (mol, reference))
    protruding = rdShapeHelpers.ShapeProtrudeDist(mol, reference, allowReordering=False)
    return (feature_score(mol, reference) + 1 - min(max(protruding, 0), 1)) / 2


def feature_score(mol: Chem.Mol, reference: Chem.Mol) -> float:
    """Overlap of features, between 0 and 1."""
    own, other = (features(m) for m in (mol, reference))
    if not own or not other:
        return 0.0
    parameters = {kind: FeatMaps.FeatMapParams() for kind in factory().GetFeatureFamilies()}
    fmap = FeatMaps.FeatMap(feats=other, weights=[1] * len(other), params=parameters)
    return min(max(fmap.ScoreFeats(own) / min(len(own), len(other)), 0), 1)


def features(mol: Chem.Mol) -> list[Chem.rdMolChemicalFeatures.MolChemicalFeature]:
    """Those of the kinds that count."""
    return [feature for feature in factory().GetFeaturesForMol(mol) if feature.GetFamily() in KINDS]


@cache
def factory() -> ChemicalFeatures.MolChemicalFeatureFactory:
    """RDKit's base features."""
    return ChemicalFeatures.BuildFeatureFactory(str(Path(RDConfig.RDDataDir) / "BaseFeatures.fdef"))

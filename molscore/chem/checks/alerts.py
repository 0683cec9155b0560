"""Structural alerts, and extreme values: tags, not verdicts.

`unusual` names patterns that are possible on paper and rare or unstable in a flask, `extreme` what is strained or
hard to make; `alerts` names the entries of two published catalogues, PAINS (Baell and Holloway, J. Med. Chem. 53, 2719,
2010) and Brenk's (ChemMedChem 3, 435, 2008), as RDKit has them. Marketed drugs carry many of these.

The patterns cover what the seven ChEMBL sets of RDKit's catalogues name as unstable and neither PAINS nor Brenk do;
these sets match 0 to 30 % of MOSES and 12 to 66 % of DFT8K, the patterns 0.0 % and 4.8 %.
"""

from functools import cache

from rdkit import Chem
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from molscore.chem.thresholds import THRESHOLDS

_AMINE = "[NX3;!a;!$(N-[C,S,P]=[O,S,N]);!$(N-C#N);!$(N(=O)~O)]"
"""Nitrogen with a lone pair that no neighbour draws away."""

_ALKENE = "[CX3;!$(C=C[$([C,S,P,N+]=[O,S,N]),$(C#N)])](=[CX3;!a])"
"""A carbon of C=C at whose other end nothing draws electrons: an enaminone is stable, an enamine is not."""

PATTERNS: dict[str, str] = {
    "peroxide": "[#8;!a]-[#8;!a]",
    "heteroatom_chain": "[#7,#8,#16;!$([#16](=O)=O);!$([#7](=O)=O);!$([N+](=O)[O-]);!a]-[#7,#8;!a;!$([N+](=O)[O-])]"
    "-[#7,#8,#16;!a;!$([N+](=O)[O-]);!$([#16](=O)=O)]",
    "ring_allene": "[R]=[C;R;D2,D3,D4]=[R]",
    "ring_alkyne": "[C;r3,r4,r5,r6,r7]#[C;r3,r4,r5,r6,r7]",
    "cyclobutadiene": "[#6]1=[#6][#6]=[#6]1",
    "antiaromatic_three_ring": "[#7,#8,#16]1[#6]=[#6]1",
    "cyclopropene": "C1=C[C;X4]1",
    "gem_diol_or_aminal": "[CX4]([OX2H,NX3H2,SX2H])[OX2H,NX3H2,SX2H]",
    "hemiaminal": f"[CX4]([OX2H,SX2H]){_AMINE}",
    "primary_aminal": f"[CX4]([NX3H2])[$({_AMINE}),OX2,SX2]",
    "open_hemiacetal": "[CX4;!R]([OX2H,SX2H])[OX2H0,SX2H0]",
    "alpha_halo_alcohol": "[CX4]([F,Cl,Br,I])[OX2H,SX2H]",
    "alpha_halo_amine": f"[CX4]([F,Cl,Br,I]){_AMINE}",
    "alpha_halo_ether": "[CX4]([Cl,Br,I])[OX2,SX2]",
    "ketene_acetal": f"{_ALKENE}([$({_AMINE}),OX2,SX2H])[$({_AMINE}),OX2,SX2H]",
    "primary_enamine": f"{_ALKENE}[NX3H2]",
    "thiocarbonyl": "[CX3;!$(C[#7,#8,#16])]=[SX1]",
    "ketene": "[CX3]=[CX2]=[OX1,SX1,NX2]",
    "ynol_or_ynamine": "[CX2]#[CX2][OX2,SX2H,$([NX3]);!$(N-[C,S]=[O,S,N])]",
    "haloalkyne": "[CX2]#[CX2][F,Cl,Br,I]",
    "three_ring_of_heteroatoms": "[#7,#8,#16]1[#7,#8,#16]~*1",
    "nitroso": "[NX2;!$(N-a)]=[OX1]",
    "sulfenyl": "[SX2;!a]-[F,Cl,Br,I,OX2,$([NX3;!$(N-[C,S]=[O,S]);!a])]",
    "element_halide": "[B,Si,P,$([S]=O)][Cl,Br,I]",
    "carbamic_or_carbonic_acid": "[OX2H][CX3](=[OX1])[OX2,NX3]",
    "acylimine": "[CX3;!$(C[#7,#8,#16])]=[NX2;!R][CX3]=[OX1]",
    "cyclopropanone": "O=C1[#6,#7,#8][#6,#7,#8]1",
    "vicinal_tricarbonyl": "[#6](=O)[CX3](=O)[#6]=O",
    "acyl_halide": "C(=O)[Cl,Br,I]",
    "n_halogen": "[#7,#8]-[F,Cl,Br,I]",
    "hypervalent_halogen": "[Cl,Br,I;D2,D3]",
    "cumulene": "[*]=[C]=[C]=[*]",
    "pentalene": "C1=CC2=CC=CC2=C1",
    "cyclopentadiene": "C1=CC=C[C;X4]1",
    "cycloheptatriene": "[C;!a]1=[C;!a][C;!a]=[C;!a][C;!a]=[C;!a][C,N,O,S;!a]1",
    "medium_ring": "[r8,r9,r10,r11]",
    "phosphine": "[PX3;H1,H2]",
    "n_h_imine": "[CX3;!$(C~[#7X3,#8,#16])]=[NX2;H1]",
    "enol": "[OX2H][CX3]=[CX3;!$(C-C=O)]",
}
"""Name -> SMARTS. `unusual` has `fused_small_rings` and `bredt` besides."""


@cache
def _patterns() -> dict[str, Chem.Mol]:
    return {name: Chem.MolFromSmarts(smarts) for name, smarts in PATTERNS.items()}


@cache
def _catalogue() -> FilterCatalog:
    parameters = FilterCatalogParams()
    parameters.AddCatalog(FilterCatalogParams.FilterCatalogs.PAINS)
    parameters.AddCatalog(FilterCatalogParams.FilterCatalogs.BRENK)
    return FilterCatalog(parameters)


def unusual(mol: Chem.Mol) -> list[str]:
    """Names of unusual patterns in a sanitised molecule, hydrogens explicit or not; sorted."""
    bare = Chem.RemoveHs(mol)
    names = [name for name, pattern in _patterns().items() if bare.HasSubstructMatch(pattern)]
    rings = [set(ring) for ring in bare.GetRingInfo().AtomRings()]
    small = [ring for ring in rings if len(ring) <= THRESHOLDS.alerts.small_ring]
    if any(len(a & b) >= 2 for i, a in enumerate(small) for b in small[:i]):
        names.append("fused_small_rings")
    if _breaks_bredt(bare, rings):
        names.append("bredt")
    return sorted(names)


def extreme(strain: float | None, sa: float) -> list[str]:
    """``high_strain`` and ``high_sa``, where they apply.

    Args:
        strain: MMFF94s relaxation energy, kcal/mol; None if there is none.
        sa: synthetic accessibility, 1 to 10.
    """
    limits = THRESHOLDS.alerts
    conditions = {
        "high_sa": sa >= limits.high_sa,
        "high_strain": strain is not None and strain >= limits.high_strain,
    }
    return [name for name, applies in conditions.items() if applies]


def alerts(mol: Chem.Mol) -> list[str]:
    """Names of PAINS and Brenk alerts of a sanitised molecule, as ``PAINS_A:...`` or ``Brenk:...``; sorted."""
    entries = _catalogue().GetMatches(Chem.RemoveHs(mol))
    return sorted({f"{entry.GetProp('FilterSet')}:{entry.GetDescription()}" for entry in entries})


def _breaks_bredt(mol: Chem.Mol, rings: list[set[int]]) -> bool:
    """A double bond, not aromatic, at the head of a bridge in a small bicycle.

    A bridgehead is an atom where two rings that share more than one bond meet and part.
    """
    for i, a in enumerate(rings):
        for b in rings[:i]:
            shared = a & b
            if len(shared) < 3 or len(a | b) >= THRESHOLDS.alerts.bredt:
                continue
            for index in shared:
                atom = mol.GetAtomWithIdx(index)
                inside = [n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() in a | b]
                if len(inside) < 3:
                    continue  # not a head
                bonds = [mol.GetBondBetweenAtoms(index, n) for n in inside]
                if any(bond.GetBondType() == Chem.BondType.DOUBLE for bond in bonds):
                    return True
    return False

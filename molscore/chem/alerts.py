"""What makes a chemist frown: tags, not verdicts.

`unusual` names patterns that are possible on paper and rare or unstable in a flask; `alerts` names the entries of two
published catalogues, PAINS (Baell and Holloway, J. Med. Chem. 53, 2719, 2010) and Brenk's (ChemMedChem 3, 435, 2008),
as RDKit has them. Marketed drugs carry many of these.
"""

from functools import cache

from rdkit import Chem
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

PATTERNS: dict[str, str] = {
    "peroxide": "[OX2]-[OX2]",
    "heteroatom_chain": "[#7,#8,#16;!$([#16](=O)=O);!$([#7](=O)=O);!$([N+](=O)[O-]);!a]-[#7,#8;!a;!$([N+](=O)[O-])]"
    "-[#7,#8,#16;!a;!$([N+](=O)[O-]);!$([#16](=O)=O)]",
    "ring_allene": "[R]=[C;R;D2,D3,D4]=[R]",
    "ring_alkyne": "[C;r3,r4,r5,r6,r7]#[C;r3,r4,r5,r6,r7]",
    "cyclobutadiene": "[#6]1=[#6][#6]=[#6]1",
    "antiaromatic_three_ring": "[#7,#8,#16]1[#6]=[#6]1",
    "cyclopropene": "C1=C[C;X4]1",
    "gem_diol_or_aminal": "[CX4]([OX2H,NX3H2])[OX2H,NX3H2]",
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
"""Name -> SMARTS. `unusual` knows `fused_small_rings` and `bredt` besides."""

CAGE = 4
"""Rings of up to so many atoms count as small."""

BREDT = 9
"""A double bond at the head of a bicycle of fewer ring atoms than this violates Bredt's rule."""


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
    found = [name for name, pattern in _patterns().items() if bare.HasSubstructMatch(pattern)]
    rings = [set(ring) for ring in bare.GetRingInfo().AtomRings()]
    small = [ring for ring in rings if len(ring) <= CAGE]
    if any(len(a & b) >= 2 for i, a in enumerate(small) for b in small[:i]):
        found.append("fused_small_rings")
    if _breaks_bredt(bare, rings):
        found.append("bredt")
    return sorted(found)


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
            if len(shared) < 3 or len(a | b) >= BREDT:
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

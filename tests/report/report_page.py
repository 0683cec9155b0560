"""Molecules to report on, sound and unsound, and a strict reader of the page."""

import gzip
import json
import re
from base64 import b64decode
from html.parser import HTMLParser

from rdkit import Chem
from rdkit.Chem import AllChem

SMILES = ["CCO", "C[C@H](N)C(=O)O", "C[N+]([O-])(C)C", "C[N+](C)(C)CCO", "F/C=C/Cl", "c1ccncc1", "CC#N"]
VOID = {"meta", "br", "hr", "img", "input", "link"}
MANIFEST = {"model": "qm9", "seed": 3, "requested": 9, "delivered": 7, "attempts": 12, "steps": 50, "sampler": "dpm"}


def embed(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=7) == 0
    return mol


def without_last_atom(mol: Chem.Mol) -> Chem.Mol:
    """The molecule less its last hydrogen: a radical."""
    editable = Chem.RWMol(mol)
    for atom in editable.GetAtoms():
        atom.SetNoImplicit(True)
    editable.RemoveAtom(mol.GetNumAtoms() - 1)
    return editable.GetMol()


def overbonded() -> Chem.Mol:
    """A carbon with five hydrogens, unsanitised."""
    editable = Chem.RWMol(embed("C"))
    editable.AddBond(0, editable.AddAtom(Chem.Atom(1)), Chem.BondType.SINGLE)
    editable.GetConformer().SetAtomPosition(5, [0.8, 0.8, 0.0])
    return editable.GetMol()


def make_mols() -> list[Chem.Mol]:
    """The molecules of `SMILES`, as attempts 0, 2, 4, ..."""
    mols = [embed(smiles) for smiles in SMILES]
    for k, mol in enumerate(mols):
        mol.SetIntProp("molscore_index", 2 * k)
    return mols


class Page(HTMLParser):
    """Reads a page strictly: every element closed, in order. Keeps elements, and text by the element it is in."""

    def __init__(self, path):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else None, data.strip()))

    def attributes(self, tag, name):
        return [attrs[name] for element, attrs in self.elements if element == tag and name in attrs]

    def data(self):
        """What the table is made of."""
        return json.loads(re.search(r'id="data">(.*?)</script>', self.source, re.DOTALL)[1])

    def column(self, key):
        """The values of a column, None where the table has none."""
        data = self.data()
        keys = [column["key"] for column in data["columns"]]
        return [item[keys.index(key)] if key in keys else None for item in data["items"]]

    def drawings(self):
        """What is drawn of each record."""
        lots = re.findall(r'class="lot">(.*?)</script>', self.source)
        return [drawing for lot in lots for drawing in json.loads(gzip.decompress(b64decode(lot)))]

    def text(self):
        return " ".join(text for tag, text in self.texts if tag not in ("script", "style"))

"""The text of an SDF record: a V2000 mol block, then properties, then ``$$$$``.

Mol block: Dalby et al., J. Chem. Inf. Comput. Sci. 32, 244 (1992), with explicit hydrogens and the 3-D flag.
"""

import re
from collections.abc import Container, Mapping
from importlib import metadata
from numbers import Integral, Real

from rdkit import Chem, rdBase

from molscore.chem.arrays import MoleculeError, hydrogen_fault, isomeric_smiles

_NAME = re.compile(r">.*<([^<>]*)>")


def format_record(mol: Chem.Mol, title: str, properties: Mapping[str, object] | None = None) -> str:
    """The text of one SDF record, ``$$$$`` included. Arguments and errors as ``SDFWriter.write``."""
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        raise MoleculeError("no_3d", "only molecules with a 3-D conformer are written")
    copy = Chem.Mol(mol)
    if fault := hydrogen_fault(copy):
        raise MoleculeError("implicit_hydrogens", fault)
    title = " ".join(title.split())
    if title.startswith("$$$$"):
        raise ValueError(f"the title {title!r} would end an SDF record")
    copy.SetProp("_Name", title)
    stereo = any(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in copy.GetAtoms())
    copy.SetIntProp("_MolFileChiralFlag", int(stereo))  # the configuration is meant absolutely
    aromatic = any(bond.GetIsAromatic() for bond in copy.GetBonds())
    with rdBase.BlockLogs():
        block = Chem.MolToMolBlock(copy, kekulize=aromatic)
    fields = (format_property(name, value) for name, value in (properties or {}).items() if value is not None)
    return f"{block}{''.join(fields)}$$$$\n"


def format_property(name: str, value: object) -> str:
    if not name or any(c in name for c in "<>\r\n"):
        raise ValueError(f"{name!r} cannot name an SDF property: it must not be empty nor hold <, > or line breaks")
    if isinstance(value, Real) and not isinstance(value, Integral):
        text = f"{float(value):.6g}"
    else:
        text = str(value)
    lines = text.splitlines() or [""]
    if any(not line.strip() for line in lines[1:]) or any(line.startswith("$$$$") for line in lines):
        raise ValueError(f"property {name} holds an empty line or $$$$, which would end an SDF record")
    return "\n".join([f">  <{name}>", *lines]) + "\n\n"


def without_properties(text: str, names: Container[str]) -> str:
    """A record without the properties of these names; every property that is left ends with an empty line."""
    block, end, rest = text.partition("M  END") if "M  END" in text else ("", "", text)
    found = [field.rstrip() for field in re.split(r"^(?=>)", rest, flags=re.MULTILINE)]
    kept = (field for field in found[1:] if (name := _NAME.match(field)) is None or name[1] not in names)
    return "".join([(block + end + found[0]).rstrip("\r\n") + "\n", *(f"{field}\n\n" for field in kept)])


def record_properties(
    mol: Chem.Mol, *, model: str, seed: int, index: int, extra: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The properties that every record carries.

    Args:
        mol: the molecule of the record.
        model: name or file of the model.
        seed: seed of the run.
        index: number of the attempt that gave the molecule; with model and seed it gives it again.
        extra: further properties, with the unit in the name (``strain_kcal_per_mol``).

    Returns:
        ``SMILES`` (isomeric), ``molscore_version``, ``molscore_model``, ``molscore_seed``, ``molscore_index``, `extra`.
    """
    try:
        version = metadata.version("molscore")
    except metadata.PackageNotFoundError:
        version = "not installed"
    return {
        "SMILES": isomeric_smiles(mol),
        "molscore_version": version,
        "molscore_model": model,
        "molscore_seed": seed,
        "molscore_index": index,
        **(extra or {}),
    }

"""What a user wants kept, as options name it: a core, fragments, or all but a part of a lead."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from rdkit import Chem, rdBase

from molscore.chem.io.named import named
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.part_checks import atom_numbers, check_fragments, check_one
from molscore.chem.parts import KeptPart, kept_part, matched
from molscore.chem.stereo.tags import tags
from molscore.limits import shown

Source = str | Path | Chem.Mol
"""A molecule, a file of one, or a record of a file, ``lead.sdf:3``."""

KINDS = ("scaffold", "link", "replace", "near")


def check_wishes(wishes: dict[str, object]) -> None:
    """Whether wishes go together; `wishes` are those that were given, by their names.

    Raises:
        ValueError: if not; the message says which to leave out, or what is missing.
    """
    kinds = [name for name in KINDS if name in wishes]
    if len(kinds) > 1:
        raise ValueError(f"{' and '.join(kinds)} do not go together: give one of them")
    for name, needed in (
        ("attach", ("scaffold",)),
        ("anchors", ("link",)),
        ("noise", ("near", "like")),
        ("features", ("like",)),
        ("particles", ("like", "pocket", "target")),
        ("lead", ("scaffold", "replace")),
    ):
        if name in wishes and not any(other in wishes for other in needed):
            word = "lead (--from)" if name == "lead" else name
            raise ValueError(f"{word} goes with {' or '.join(needed)}: add that, or leave it out")
    if "replace" in wishes and "lead" not in wishes:
        raise ValueError("replace takes away a part of a lead: give the lead as well (--from)")
    if "like" in wishes and "near" in wishes:
        raise ValueError("near starts from the molecule, like from its shape alone: give one of them")
    if "elements" in wishes and "near" in wishes:
        raise ValueError("elements are of a part that is made: near makes all atoms anew, leave one of them out")
    if "atoms" in wishes and "near" in wishes:
        raise ValueError("near makes as many atoms as the lead has: leave out atoms, or near")


def check_keep(keep: object, lead: object) -> None:
    """Raises ValueError for a core without its lead, or the other way round."""
    if keep is not None and lead is None:
        raise ValueError("keep holds a core at the pose of a lead: give the lead as well (--from)")
    if lead is not None and keep is None:
        raise ValueError("lead (--from) is for a core that is held: name it with keep, a SMARTS")


def keep(
    scaffold: Source | None = None,
    attach: Sequence[int] | None = None,
    link: Source | None = None,
    anchors: Sequence[int] | None = None,
    replace: str | None = None,
    lead: Source | None = None,
) -> KeptPart | None:
    """The part that wishes keep; None if they keep none.

    Args:
        scaffold: a core in 3-D, the SMILES of one whose pose is free (``[*:1]`` marks where to grow), or, with a lead,
            the SMARTS of the part to keep.
        attach: atoms of the scaffold at which to grow, each of them; without it, any with a free valence may, and of
            the part of a lead any that was cut off from the rest.
        link: two or more fragments in 3-D, in one record.
        anchors: atoms of the fragments that are to be bonded to what joins them.
        replace: SMARTS of the part of the lead that is made anew; what it was bonded to is bonded again.
        lead: in 3-D.

    Raises:
        ValueError: for what is not to be understood, or cannot be kept; the message says what to do.
    """
    if replace is not None:
        assert lead is not None
        mol = molecule(lead, "lead")
        check_one(mol, "the lead")
        return kept_part(mol, matched(mol, _unmarked(replace), rest=True), cut_ends=True)
    if link is not None:
        mol = molecule(link, "link")
        anchors = None if anchors is None else atom_numbers(anchors, "anchors")
        fragments = Chem.GetMolFrags(mol)
        if len(fragments) < 2:
            raise ValueError("link joins two or more fragments, but there is one; to grow it use scaffold")
        check_fragments(mol)
        part = kept_part(mol, attach=anchors)
        _check_anchors(part)
        return part
    if scaffold is None:
        return None
    attach = None if attach is None else atom_numbers(attach, "attach")
    if lead is not None:
        mol = molecule(lead, "lead")
        check_one(mol, "the lead")
        if not isinstance(scaffold, str):
            raise ValueError("with a lead, scaffold is the SMARTS of the part of it that is kept")
        part = kept_part(mol, matched(mol, _unmarked(scaffold)), attach)
        _check_anchors(part)
    elif isinstance(scaffold, str) and named(scaffold) is None:
        if attach is not None:
            raise ValueError("mark the atoms at which a scaffold given as SMILES grows with [*:1], not with attach")
        part = kept_part(_smiles(scaffold), posed=False)
    else:
        mol = molecule(scaffold, "scaffold")
        check_one(mol, "the scaffold")
        part = kept_part(mol, attach=attach)
    return part


def _check_anchors(part: KeptPart) -> None:
    """Raises ValueError if a fragment has no atom to be joined at."""
    if bare := sorted(set(part.pieces) - set(part.pieces[part.open])):
        raise ValueError(f"fragment {bare[0] + 1} of {part.pieces.max() + 1} has no anchor: name an atom of each")


def neighboured(near: Source) -> KeptPart:
    """A whole molecule, whose neighbours are wanted; errors as for `keep`."""
    mol = molecule(near, "near")
    check_one(mol, "near")
    if any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        raise ValueError("near is of a whole molecule: it has a dummy atom; to grow at it use scaffold")
    return kept_part(mol, attach=())


def check_like(vocabulary: Sequence[tuple[int, int]], name: str) -> None:
    """Raises ValueError for a model that makes hydrogens as atoms of their own, whose shapes do not count."""
    if any(int(number) == 1 for number, _ in vocabulary):
        raise ValueError(f"{name} makes hydrogens as atoms of their own; make shapes with a drug-like model")


def check_ability(
    parts: Sequence[KeptPart],
    elements: Sequence[str] | None,
    vocabulary: Sequence[tuple[int, int]],
    most: int,
    name: str,
) -> None:
    """Whether a model can keep or near parts, and make elements.

    Args:
        parts: heavy atoms that are given.
        elements: of what is made; None is any.
        vocabulary: (atomic number, formal charge) of the model's classes.
        most: atoms of its largest molecule.
        name: of the model.

    Raises:
        ValueError: if it has no class for an atom, no room for a part, or makes hydrogens as atoms of their own.
    """
    classes = {(int(number), int(charge)) for number, charge in vocabulary}
    if parts and any(number == 1 for number, _ in classes):
        raise ValueError(f"{name} makes hydrogens as atoms of their own; complete molecules with a drug-like model")
    symbol = Chem.GetPeriodicTable().GetElementSymbol
    for part in parts:
        for number, charge in part.classes:
            if (number, charge) not in classes:
                known = ", ".join(f"{symbol(z)}{q:+d}" if q else symbol(z) for z, q in sorted(classes))
                raise ValueError(f"{name} has no {symbol(number)} of charge {charge}, as is to be kept; it has {known}")
        if len(part) >= most:
            raise ValueError(f"there are {len(part)} heavy atoms to keep, and {name} makes molecules of up to {most}")
    if elements is not None:
        allowed_classes(elements, vocabulary, name)


def allowed_classes(elements: Sequence[str], vocabulary: Sequence[tuple[int, int]], name: str) -> list[bool]:
    """Which classes of atoms are of these elements.

    Raises:
        ValueError: for no element, or one that the model does not know.
    """
    known = {Chem.GetPeriodicTable().GetElementSymbol(int(z)): z for z, _ in vocabulary}
    if unknown := [word for word in elements if word not in known]:
        raise ValueError(f"{name} does not make {', '.join(map(shown, unknown))}; it knows {', '.join(known)}")
    if not elements:
        raise ValueError(f"elements must name one at least; {name} knows {', '.join(known)}")
    return [z in {known[word] for word in elements} for z, _ in vocabulary]


def symbols(elements: object) -> tuple[str, ...]:
    """Symbols of elements, of several or of a text such as ``C,N``.

    Raises:
        ValueError: for what is neither.
    """
    words = elements.split(",") if isinstance(elements, str) else elements
    words = tuple(words) if isinstance(words, Iterable) else (words,)
    if not all(isinstance(word, str) for word in words):
        raise ValueError(f"elements must be symbols such as 'C,N' or ('C', 'N'), not {shown(elements)}")
    return tuple(word.strip() for word in words)


def read(source: Source | None, name: str) -> Source | None:
    """The molecule, where a file is named; else what was given, such as a SMILES; errors as for `molecule`."""
    if source is None or isinstance(source, Chem.Mol):
        return source
    return molecule(source, name) if not isinstance(source, str) or named(source) is not None else source


def molecule(source: Source, name: str) -> Chem.Mol:
    """The one molecule of a file, the one of the record named (``lead.sdf:3``), or the molecule itself.

    Raises:
        ValueError: if there is no such file or record, it is no SDF or MOL file, or does not hold one sound molecule.
    """
    if isinstance(source, Chem.Mol):
        return source
    if not isinstance(source, (str, Path)):
        raise ValueError(f"{name} must be a molecule or the name of a file, not {shown(source)}")
    found = named(str(source))
    path, number = (Path(source), None) if found is None else found
    if not path.is_file():
        raise ValueError(f"{name}: there is no file {shown(str(path))}; it wants an SDF file, with positions")
    if found is None:
        raise ValueError(f"{name}: {path.name} is no SDF or MOL file")
    records = list(islice(read_sdf(path, wanted=lambda k: number in (None, k + 1)), number or 2))
    if number is not None and not 0 < number <= len(records):
        raise ValueError(f"{name}: {path.name} has no record {number}: records are numbered from 1")
    if not records:
        raise ValueError(f"{name}: {path.name} holds no molecule; give a file of one")
    if number is None and len(records) > 1:
        hint = "; fragments to join belong in one record (RDKit: Chem.CombineMols)" if name == "link" else ""
        raise ValueError(f"{name}: {path.name} holds several molecules: name one, {path.name}:1 is the first{hint}")
    record = records[-1]
    if record.mol is None:
        raise ValueError(f"{name}: {path.name}: {record.reason}")
    return record.mol


def kept_texts(part: KeptPart | None, query: KeptPart | None, like: KeptPart | None = None) -> dict[str, str]:
    """What is kept, is to be neared or liked, for a manifest: SMILES, and a digest of atoms, bonds and positions."""
    named = {"kept": part, "near": query, "like": like}
    return {name: f"{value.smiles} ({value.digest})" for name, value in named.items() if value is not None}


def pattern(smarts: str) -> Chem.Mol:
    """A SMARTS pattern.

    Raises:
        ValueError: if it is none.
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmarts(smarts)
    if mol is None or not mol.GetNumAtoms():
        raise ValueError(f"{shown(smarts)} is no SMARTS")
    return mol


def _unmarked(smarts: str) -> Chem.Mol:
    """A SMARTS pattern, which marks nothing: there ``[*:1]`` would be any atom of the lead; errors as for `pattern`."""
    mol = pattern(smarts)
    if any(atom.GetAtomMapNum() for atom in mol.GetAtoms()):
        raise ValueError(
            f"{shown(smarts)} has a mark, as [*:1], in a SMARTS any atom of the lead (--from): leave marks out; "
            "new bonds are made where the lead is cut, or, of a scaffold, at the atoms that attach names"
        )
    return mol


def _smiles(text: str) -> Chem.Mol:
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(text)
    if mol is None:
        raise ValueError(f"scaffold {shown(text)} is neither an SDF file nor a SMILES")
    if len(Chem.GetMolFrags(mol)) > 1:
        raise ValueError("a scaffold given as SMILES is one fragment; give fragments to join in 3-D, with link")
    if mapped := [atom.GetSymbol() for atom in mol.GetAtoms() if atom.GetAtomicNum() and atom.GetAtomMapNum()]:
        raise ValueError(f"a number at an atom, {mapped[0]}, marks nothing: write [*:1] beside it where it is to grow")
    marks = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0}
    if any(marks & set(row[:4]) for row in tags(mol).tolist()):
        raise ValueError("the stereo at a mark cannot be kept: leave it out of the SMILES, or give a core in 3-D")
    return mol

"""Conformers as SDF records, each with what it takes to make it again."""

from collections.abc import Iterable, Iterator

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.sdf_text import DataItem, carried, format_conformers, record_properties, tagged
from molscore.conformers.ensemble import Ensemble


def sdf_records(
    ensemble: Ensemble, items: Iterable[DataItem], *, title: str, number: int, model: str, seed: int, options: str
) -> Iterator[str]:
    """The text of a record for each conformer, ``$$$$`` included.

    Args:
        ensemble: the conformers.
        items: properties of the input; one of the name of ours gets ``input_`` in front.
        title: of the records.
        number: of the molecule in the input, from 1.
        model, seed, options: how the conformers were made.
    """
    items = tuple(items)
    more = {"molscore_options": options, "removed_fragments": ensemble.removed or None}
    if ensemble.stereo_open:
        more["isomer"] = f"{ensemble.isomer} of {ensemble.isomers}" if ensemble.isomers > 1 else "sampled"
    shared = record_properties(isomeric_smiles(ensemble.mol), model=model, seed=seed, index=number, extra=more)
    texts = format_conformers(ensemble.mol, title)
    for text, conformer in zip(texts, ensemble.mol.GetConformers(), strict=True):
        ours = shared | conformer.GetPropsAsDict()
        if ours["method"] == "etkdg" and ensemble.reason:
            ours["fallback_reason"] = ensemble.reason[0]
        yield tagged(text + carried(items, ours), ours)

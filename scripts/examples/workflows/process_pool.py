"""Conformers in a process pool of one's own; properties of molecules and conformers come back."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import molscore

conformers = molscore.ConformerGenerator.from_pretrained().generate

if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for result in pool.map(conformers, ["CCCCO butanol", "CCCCN butylamine", "CCCCF fluorobutane"]):
            print(result.mols[0].GetProp("_Name"), result.mols[0].GetConformer().GetPropsAsDict())

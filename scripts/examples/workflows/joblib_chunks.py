"""Conformers of chunks of a library, by joblib."""

from joblib import Parallel, delayed

import molscore


def table(chunk):
    return molscore.ConformerGenerator.from_pretrained().generate(chunk, n=2).to_frame(conformers=True)


if __name__ == "__main__":
    chunks = [["CCCCO butanol", "CCCCN butylamine"], ["CCCCF fluorobutane"]]
    frames = Parallel(n_jobs=2)(delayed(table)(chunk) for chunk in chunks)
    print(*(frame[["title", "rank", "energy_kcal_per_mol"]] for frame in frames), sep="\n")

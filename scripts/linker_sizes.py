"""How many heavy atoms join two fragments of a molecule, by the distance of the atoms that they are bonded to.

    python scripts/linker_sizes.py data/druglike.safetensors --out molscore/chem/linker_sizes.json

Every two single bonds outside rings cut a molecule into two ends and what lies between them, the linker. As in DeLinker
(Imrie et al., J. Chem. Inf. Model. 60, 1983, 2020) ends have five heavy atoms at least. A molecule counts once, however
many cuts it has. Rows of the table are distances in steps, columns numbers of atoms from 1 on; each row adds up to 1.
"""

import argparse
import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import networkx
import numpy as np

from molscore.datasets.layout import SCALE
from molscore.datasets.tensorfile import read_tensorfile

STEP, LARGEST, ENDS = 0.5, 20, 5
"""Å of a row, atoms of the largest linker, atoms of the smallest end."""


def main() -> None:
    """Counts, smooths over neighbouring rows, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="tensor file of heavy atoms")
    parser.add_argument("--molecules", type=int, default=20_000)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    file = read_tensorfile(words.data)
    train = file.indices("train")
    chosen = np.random.default_rng(0).choice(train, min(words.molecules, len(train)), replace=False)
    counts = np.zeros((40, LARGEST))
    for molecule in chosen.tolist():
        found = Counter(cuts(*molecule_graph(file, molecule)))
        for (row, size), number in found.items():
            if row < len(counts):
                counts[row, size - 1] += number / found.total()
    padded = np.pad(counts, ((1, 1), (0, 0)), mode="edge")
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    last = int(np.flatnonzero(smooth.sum(1) >= 5).max())
    first = int(np.flatnonzero(smooth.sum(1) >= 5).min())
    smooth[:first] = smooth[first]
    table = smooth[: last + 1] / smooth[: last + 1].sum(1, keepdims=True)
    text = {"step": STEP, "molecules": len(chosen), "weights": table.round(4).tolist()}
    words.out.write_text(json.dumps(text) + "\n")
    for row, weights in enumerate(table):
        print(
            f"{row * STEP:5.1f} Å  mean {weights @ np.arange(1, LARGEST + 1):5.2f} atoms  most {weights.argmax() + 1}"
        )


def molecule_graph(file, molecule: int) -> tuple[networkx.Graph, np.ndarray]:
    """Bonds with their orders, and positions in Å."""
    arrays = file.arrays
    atom, n = file.atom_offsets[molecule], int(arrays["n_atoms"][molecule])
    bond, m = file.bond_offsets[molecule], int(arrays["n_bonds"][molecule])
    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    for (i, j), order in zip(
        arrays["bonds"][bond : bond + m].tolist(), arrays["bond_orders"][bond : bond + m].tolist(), strict=True
    ):
        graph.add_edge(i, j, order=order)
    return graph, arrays["positions"][atom : atom + n].astype(float) / SCALE


def cuts(graph: networkx.Graph, positions: np.ndarray) -> list[tuple[int, int]]:
    """(Row of the table, atoms of the linker) of every two bonds that leave a linker between two ends."""
    found = []
    bridges = [edge for edge in networkx.bridges(graph) if graph.edges[edge]["order"] == 1]
    sides = {}
    for i, j in bridges:
        graph.remove_edge(i, j)
        sides[i, j] = networkx.node_connected_component(graph, i), networkx.node_connected_component(graph, j)
        graph.add_edge(i, j, order=1)
    for one, other in combinations(bridges, 2):
        # The ends are the side of either bond that does not hold the other bond.
        (end, anchor), (far, last) = (
            next((side, atom) for side, atom in zip(sides[a], a, strict=True) if not set(b) <= side)
            for a, b in ((one, other), (other, one))
        )
        size = len(graph) - len(end) - len(far)
        if min(len(end), len(far)) >= ENDS and 1 <= size <= LARGEST:
            distance = float(np.linalg.norm(positions[anchor] - positions[last]))
            found.append((int(distance / STEP), size))
    return found


if __name__ == "__main__":
    main()

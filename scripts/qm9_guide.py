"""Makes the guide of `qm9` to dipole moment, polarisability and gap, from half B of QM9's training molecules.

    molscore data qm9 --out qm9.safetensors
    python scripts/qm9_guide.py qm9.safetensors --data FOLDER --out runs/qm9_guide.safetensors

As ``property_guide.py``, with positions: the network reads the model's posterior means of noised molecules, and learns
mu (D), alpha (Bohr³) and gap (eV) of the clean ones, at B3LYP/6-31G(2df,p). The judge of ``qm9_targets.py`` learns from
half A, see `judge.qm9_data`. The model itself has seen both halves.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from judge.qm9_data import NAMES, QM9, halves, read
from property_guide import BATCH, BINS, EXTREME, expected, fit, size_tables
from results import write_json
from torch import Tensor

from molscore.datasets.batch import MoleculeStore
from molscore.datasets.tensorfile import TensorFile, read_tensorfile
from molscore.guidance.placed_properties import PlacedPropertyNetwork
from molscore.guidance.property_guide import PropertyGuide
from molscore.guidance.soft import SoftMolecules, normalised
from molscore.model import MoleculeDiffusion, load
from molscore.model.state import pair_mask
from molscore.pretrained import find

MODEL, LEAST = "qm9", 0.3
"""And the least standard deviation that is believed, see `molscore.guidance.properties.PropertyWish`; chosen on
validation molecules."""


class PlacedMeans(NamedTuple):
    """Posterior means of a batch, float16 but for the times.

    Attributes:
        index: ``(B,)`` rows of the molecules in QM9.
        t: ``(B,)`` graph times.
        positions: ``(B, N, 3)`` Å.
        atoms, bonds: ``(B, N, K)`` and ``(B, N, N, 4)``.
        mask: ``(B, N)``.
    """

    index: Tensor
    t: Tensor
    positions: Tensor
    atoms: Tensor
    bonds: Tensor
    mask: Tensor

    def soft(self, vocabulary: list[tuple[int, int]]) -> SoftMolecules:
        """As molecules."""
        atoms, bonds = normalised(self.atoms.float(), self.mask), normalised(self.bonds.float(), pair_mask(self.mask))
        return SoftMolecules(self.positions.float(), atoms, bonds, self.mask, vocabulary)


@torch.no_grad()
def draws(
    model: MoleculeDiffusion, store: MoleculeStore, places: np.ndarray, rows: np.ndarray, seed: int
) -> Iterator[PlacedMeans]:
    """Posterior means of molecules at random times.

    Args:
        model: whose.
        store: all molecules.
        places: ``(M,)``: of the molecules in the store.
        rows: ``(M,)``: theirs in QM9.
        seed: of noise, times and order.
    """
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    order = np.argsort(store.sizes[places], kind="stable")
    parts = np.array_split(order, -(-len(order) // BATCH))
    for k in rng.permutation(len(parts)):
        batch = store.gather(places[parts[k]])
        t, mean = expected(model, batch, generator)
        x = mean.x * model.config.position_scale
        yield PlacedMeans(torch.from_numpy(rows[parts[k]]), t, x.half(), mean.a.half(), mean.e.half(), batch.mask)


def kept(path: Path, *arguments: Any) -> list[PlacedMeans]:
    """`draws`, from a file if it is there."""
    if not path.is_file():
        began = time.time()
        torch.save([tuple(means) for means in draws(*arguments)], path)
        print(f"{path.name} made in {time.time() - began:.0f} s", flush=True)
    return [PlacedMeans(*parts) for parts in torch.load(path)]


def present(file: TensorFile, data: QM9, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of molecules of QM9 their places in the training split of a file, and those rows that it has.

    Raises:
        ValueError: if it lacks more than a few, which `molscore data` may have dropped.
    """
    numbers = file.arrays["index"][file.indices("train")].tolist()
    place = dict(zip(numbers, range(len(numbers)), strict=True))
    found = np.array([place.get(number, -1) for number in data.index[rows].tolist()])
    if (found < 0).sum() > len(found) / 100:
        raise ValueError(
            f"the file lacks {(found < 0).sum()} of {len(found)} molecules: make it with molscore data qm9"
        )
    return found[found >= 0], rows[found >= 0]


@torch.no_grad()
def quality(network: torch.nn.Module, batches: list[PlacedMeans], y: Tensor, vocabulary: list[tuple[int, int]]) -> list:
    """R² of each property, and its mean squared error in units of the variance the network states, by graph time."""
    outputs = [(means.t, y[means.index], *network(means.soft(vocabulary), means.t)) for means in batches]
    t, wanted, mean, log_variance = (torch.cat(parts) for parts in zip(*outputs, strict=True))
    rows = []
    for low, high in BINS:
        inside = (t >= low) & (t < high)
        error = (mean - wanted)[inside].square().mean(0)
        columns = {"r2": 1 - error, "error_over_variance": error / log_variance[inside].exp().mean(0)}
        row = {"graph_time": [low, high], "molecules": int(inside.sum())}
        for title, values in columns.items():
            row[title] = {name: round(float(value), 3) for name, value in zip(NAMES, values, strict=True)}
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("molecules", type=Path, help="tensor file of QM9")
    parser.add_argument("--data", type=Path, required=True, help="folder of qm9pack's CSV files")
    parser.add_argument("--kept", type=Path, default=Path("runs/qm9.npz"))
    parser.add_argument("--out", type=Path, default=Path("runs/qm9_guide.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/qm9_guide"))
    parser.add_argument(
        "--draws", type=int, nargs="+", default=[15000, 15000], help="molecules to learn from, in parts"
    )
    parser.add_argument("--held-out", type=int, default=1000, help="the last molecules of half B, for the card")
    parser.add_argument("--epochs", type=int, default=16)
    words = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, file, data = load(find(MODEL)), read_tensorfile(words.molecules), read(words.data, words.kept)
    words.work.mkdir(parents=True, exist_ok=True)
    store, own = MoleculeStore(file, "train", model.vocabulary), halves()[1]
    ends = np.cumsum([0, *words.draws])
    parts = [own[low:high] for low, high in zip(ends[:-1], ends[1:], strict=True)]
    parts = [present(file, data, part) for part in (*parts, own[len(own) - words.held_out :])]
    batches = [
        means
        for k, (where, rows) in enumerate(parts[:-1])
        for means in kept(words.work / f"draws_{ends[k]}_{len(rows)}.pt", model, store, where, rows, 2 + k)
    ]
    held_out = kept(words.work / f"held_out_{len(parts[-1][1])}.pt", model, store, *parts[-1], 1)
    y = torch.from_numpy(data.values).float()
    seen = torch.from_numpy(np.concatenate([rows for _, rows in parts[:-1]]))
    mean, deviation = y[seen].mean(0), y[seen].std(0)
    scaled = (y - mean) / deviation
    network = PlacedPropertyNetwork(len(model.vocabulary), len(NAMES))
    network = fit(network, batches, scaled, model.vocabulary, words.epochs)
    edges = torch.quantile(y[seen], torch.tensor([EXTREME, 1 - EXTREME]), dim=0).T
    properties = {
        name: {"mean": float(m), "deviation": float(s), "range": [round(x, 4) for x in ends.tolist()]}
        for name, m, s, ends in zip(NAMES, mean, deviation, edges, strict=True)
    }
    record = {
        "model": MODEL,
        "data": "QM9, half B",
        "licence": "QM9: open data, doi:10.6084/m9.figshare.c.978904",
        "draws": words.draws,
        "epochs": words.epochs,
    }
    record |= {"weights": sum(parameter.numel() for parameter in network.parameters())}
    about = {
        "properties": properties,
        "vocabulary": model.vocabulary,
        "record": record,
        "network": "placed",
        "least": LEAST,
    }
    sizes = torch.from_numpy((data.atomic_numbers[seen] > 0).sum(1).astype(np.float32))
    words.out.parent.mkdir(parents=True, exist_ok=True)
    PropertyGuide(network, about, *size_tables(sizes, y[seen], len(model.size_probabilities))).save(words.out)
    card = record | {"held_out": quality(network, held_out, scaled, model.vocabulary)}
    write_json(words.out.with_suffix(".json"), card)


if __name__ == "__main__":
    main()

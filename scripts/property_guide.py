"""Makes the guide to properties of a model: a network that reads posterior means, see `molscore.guidance.properties`.

    python scripts/property_guide.py wide.safetensors --out druglike.safetensors

Training molecules are noised to random times; the model says what it expects of them, after it has seen its own first
answer, as in sampling; the network learns the properties of the clean molecule from that. Means are kept in ``--work``,
so that a second fit makes none anew. Beside the guide stands a card with its quality on held-out molecules.
"""

import argparse
import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rdkit import RDLogger
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from molscore.chem.arrays import to_mol
from molscore.chem.checks.descriptors import describe
from molscore.chem.targets import ESTIMATED, TOLERANCES
from molscore.datasets.batch import MoleculeBatch, MoleculeStore
from molscore.datasets.tensorfile import TensorFile, read_tensorfile
from molscore.files.output import write_text
from molscore.guidance.properties import PropertyNetwork
from molscore.guidance.property_guide import PropertyGuide
from molscore.guidance.soft import SoftMolecules, normalised
from molscore.model import MoleculeDiffusion, load
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.state import MoleculeState, Times, frame_noise, in_frame, pair_mask, symmetric
from molscore.pretrained import DEFAULT, find

NAMES = tuple(name for name in TOLERANCES if name not in ESTIMATED)
BATCH, TOGETHER = 24, 3
"""Molecules of like size in a batch, and batches in a step of the fit."""

EARLIEST = 0.03
"""Graph time; the model's samples end there."""

RATE, EMA = 2e-3, 0.99
BINS = (0.03, 0.2), (0.2, 0.35), (0.35, 0.5), (0.5, 0.65), (0.65, 0.8), (0.8, 1.0)
"""Of graph times, for the card."""

LEAST = 1e-3
"""Standard deviation of a property, for those that are the same in all molecules."""

EXTREME = 0.001
"""Share of the training molecules beyond either end of the range of targets."""


class Means(NamedTuple):
    """Posterior means of a batch, float16 but for the times.

    Attributes:
        index: ``(B,)`` numbers of the molecules in their file.
        t: ``(B,)`` graph times.
        atoms, bonds: ``(B, N, K)`` and ``(B, N, N, 4)``.
        mask: ``(B, N)``.
    """

    index: Tensor
    t: Tensor
    atoms: Tensor
    bonds: Tensor
    mask: Tensor

    def soft(self, vocabulary: list[tuple[int, int]]) -> SoftMolecules:
        """As molecules, without positions."""
        atoms, bonds = normalised(self.atoms.float(), self.mask), normalised(self.bonds.float(), pair_mask(self.mask))
        return SoftMolecules(torch.zeros(*self.mask.shape, 3), atoms, bonds, self.mask, vocabulary)


@torch.no_grad()
def draws(model: MoleculeDiffusion, file: TensorFile, split: str, count: int, seed: int) -> Iterator[Means]:
    """Posterior means of molecules of a split at random times."""
    store, index = MoleculeStore(file, split, model.vocabulary), file.indices(split)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    chosen = rng.permutation(len(store))[:count]
    chosen = chosen[np.argsort(store.sizes[chosen], kind="stable")]
    rows = np.array_split(chosen, -(-len(chosen) // BATCH))
    for k in rng.permutation(len(rows)):
        batch = store.gather(rows[k])
        t, mean = expected(model, batch, generator)
        yield Means(torch.from_numpy(index[rows[k]]), t, mean.a.half(), mean.e.half(), batch.mask)


def expected(
    model: MoleculeDiffusion, batch: MoleculeBatch, generator: torch.Generator
) -> tuple[Tensor, MoleculeState]:
    """Graph times ``(B,)`` to which molecules are noised, and what the model then expects of them at second sight."""
    (b, n), mask, free = batch.mask.shape, batch.mask, torch.zeros_like(batch.mask)
    t = (torch.randperm(b, generator=generator) + torch.rand(b, generator=generator)) / b
    t = EARLIEST + (1 - EARLIEST) * t
    denoiser = MoleculeDenoiser(model, mask)
    layout, times = denoiser.layout, Times.uniform(model.position_time(t), t, n)
    x0 = in_frame(batch.positions / model.config.position_scale, mask, free)
    scale = model.config.category_scale
    a0, e0 = scale * torch.eye(len(model.classes))[batch.atoms], scale * torch.eye(4)[batch.bonds]
    x, a, e = (torch.randn(y.shape, generator=generator) for y in (x0, a0, e0))
    noised = model.noised(MoleculeState(x0, a0, e0), times, MoleculeState(frame_noise(x, mask, free), a, symmetric(e)))
    parts = mask[..., None], mask[..., None], pair_mask(mask)[..., None]
    z = layout.pack(MoleculeState(*(y * part for y, part in zip(noised, parts, strict=True))))
    flat = layout.pack_times(times)
    _, carry = denoiser(z, flat, None)
    return t, layout.unpack(denoiser(z, flat, carry).mean)


def kept(work: Path, model: MoleculeDiffusion, file: TensorFile, split: str, count: int, seed: int) -> list[Means]:
    """`draws`, from the work folder if they are there."""
    path = work / f"{split}_{count}_{seed}.pt"
    if not path.is_file():
        began = time.time()
        torch.save([tuple(means) for means in draws(model, file, split, count, seed)], path)
        print(f"{count} of {split} made in {time.time() - began:.0f} s", flush=True)
    return [Means(*parts) for parts in torch.load(path)]


def labels(work: Path, file: TensorFile, batches: list[Means]) -> Tensor:
    """``(M, P)``: properties of all molecules of the file that were seen, nan of the others."""
    path = work / "labels.pt"
    known = torch.load(path) if path.is_file() else torch.full((len(file), len(NAMES)), torch.nan)
    for i in torch.cat([means.index for means in batches]).unique().tolist():
        if known[i, 0].isnan():
            known[i] = torch.tensor(list(describe(to_mol(file.molecule(i), implied=True), NAMES).values()))
    torch.save(known, path)
    return known


def fit(network: PropertyNetwork, batches: list[Means], y: Tensor, vocabulary: list[tuple[int, int]], epochs: int):
    """The network's exponential moving average after a fit.

    Args:
        network: at the start.
        batches: what it sees.
        y: ``(M, P)``: scaled properties, of all molecules of the file.
        vocabulary: of the model.
        epochs: how often it sees all.
    """
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-3)
    inputs = [(means.soft(vocabulary), means.t, y[means.index]) for means in batches]
    total, step, began = epochs * -(-len(batches) // TOGETHER), 0, time.time()
    for epoch in range(epochs):
        order, losses = torch.randperm(len(inputs)).tolist(), []
        for at in range(0, len(order), TOGETHER):
            for group in optimiser.param_groups:
                group["lr"] = RATE * min(1, (step + 1) / 100) * (1 - step / total)
            parts = [
                nll(*network(soft, t), wanted) for soft, t, wanted in (inputs[k] for k in order[at : at + TOGETHER])
            ]
            loss = torch.cat(parts).mean()
            optimiser.zero_grad()
            loss.backward()
            clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            step += 1
            with torch.no_grad():
                for mine, new in zip(average.parameters(), network.parameters(), strict=True):
                    mine.lerp_(new, 1 - min(EMA, step / (step + 10)))
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {epochs}: {np.mean(losses):.4f}, {time.time() - began:.0f} s", flush=True)
    return average


def nll(mean: Tensor, log_variance: Tensor, y: Tensor) -> Tensor:
    """``(B, P)``: minus the log-likelihood of normals, but for a constant."""
    return ((mean - y) ** 2 * torch.exp(-log_variance) + log_variance) / 2


@torch.no_grad()
def quality(network: PropertyNetwork, batches: list[Means], y: Tensor, vocabulary: list[tuple[int, int]]) -> list[dict]:
    """R² of each property, and its mean squared error in units of the variance the network states, by graph time."""
    outputs = [(means.t, y[means.index], *network(means.soft(vocabulary), means.t)) for means in batches]
    t, wanted, mean, log_variance = (torch.cat(parts) for parts in zip(*outputs, strict=True))
    rows = []
    for low, high in BINS:
        inside = (t >= low) & (t < high)
        error = (mean - wanted)[inside].square().mean(0)
        r2, ratio = 1 - error / wanted.var(0).clamp(min=LEAST**2), error / log_variance[inside].exp().mean(0)
        rows.append(
            {
                "graph_time": [low, high],
                "molecules": int(inside.sum()),
                "r2": {name: round(float(value), 3) for name, value in zip(NAMES, r2, strict=True)},
                "error_over_variance": {name: round(float(value), 2) for name, value in zip(NAMES, ratio, strict=True)},
            }
        )
    return rows


def size_tables(sizes: Tensor, y: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """``(count, P)`` each: mean and standard deviation of properties among molecules of about so many atoms."""
    rows, mean, deviation = torch.arange(count), [], []
    for n in rows.tolist():
        weight = torch.exp(-((sizes - n) ** 2) / 2)[:, None] + 1e-12  # neighbours count where molecules are few
        m = (weight * y).sum(0) / weight.sum()
        mean.append(m)
        deviation.append(((weight * (y - m) ** 2).sum(0) / weight.sum()).sqrt())
    floor = (0.05 * y.std(0)).clamp(min=LEAST)
    return torch.stack(mean), torch.maximum(torch.stack(deviation), floor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="tensor file")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/property_guide"))
    parser.add_argument("--draws", type=int, nargs="+", default=[16000], help="training molecules, in parts")
    parser.add_argument("--held-out", type=int, default=1500, help="molecules of the split valid")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--licence", default="not stated", help="of the data, for the card")
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = load(find(words.model))
    if not model.implied_hydrogens or model.config.fake_atoms:
        parser.error("guides are for models of heavy atoms alone, whose hydrogens are implied")
    words.work.mkdir(parents=True, exist_ok=True)
    file = read_tensorfile(words.data)
    batches = [
        means for k, count in enumerate(words.draws) for means in kept(words.work, model, file, "train", count, 2 + k)
    ]
    held_out = kept(words.work, model, file, "valid", words.held_out, 1)
    y = labels(words.work, file, batches + held_out)
    seen = torch.cat([means.index for means in batches]).unique()
    mean, deviation = y[seen].mean(0), y[seen].std(0).clamp(min=LEAST)
    scaled = (y - mean) / deviation
    network = PropertyNetwork(len(model.vocabulary), len(NAMES))
    network = fit(network, batches, scaled, model.vocabulary, words.epochs)
    edges = torch.quantile(y[seen], torch.tensor([EXTREME, 1 - EXTREME]), dim=0).T
    properties = {
        name: {"mean": float(m), "deviation": float(s), "range": [round(x, 4) for x in ends.tolist()]}
        for name, m, s, ends in zip(NAMES, mean, deviation, edges, strict=True)
    }
    record = {"model": words.model, "data": words.data.name, "licence": words.licence, "draws": words.draws}
    record |= {"epochs": words.epochs, "weights": sum(parameter.numel() for parameter in network.parameters())}
    about = {"properties": properties, "vocabulary": model.vocabulary, "record": record}
    sizes = torch.from_numpy(file.arrays["n_atoms"].astype(np.float32))[seen]
    tables = size_tables(sizes, y[seen], len(model.size_probabilities))
    words.out.parent.mkdir(parents=True, exist_ok=True)
    PropertyGuide(network, about, *tables).save(words.out)
    card = record | {"held_out": quality(network, held_out, scaled, model.vocabulary)}
    write_text(words.out.with_suffix(".json"), json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()

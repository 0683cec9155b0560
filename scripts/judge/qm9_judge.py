"""Judges mu, alpha and gap of a geometry: an equivariant network that has learned from half A of QM9's training set.

    PYTHONPATH=scripts python -m judge.qm9_judge --data FOLDER --out runs/qm9_judge.safetensors

It sees elements and positions alone, and shares neither code nor data with the guide, which learns from half B. Heavy
atoms exchange scalars h and vectors v over all pairs, and hear hydrogens once, with radial functions f and g of the
distance and directions r̂:

    m_i = Σ_j f(d_ij) h_j,    u_i = Σ_j g(d_ij) r̂_ij h_j,    h_i, v_i <- MLP(h_i, m_i, |V u_i|), v_i + gate W u_i

The dipole is |Σ q_i r_i + p_i|, charges q from scalars, without their mean, and p from vectors; polarisability is added
to a linear function of the composition. Source: Schütt et al., "Equivariant message passing for the prediction of
tensorial properties" (PaiNN), ICML 2021; Unke and Meuwly, PhysNet, 2019 (dipoles and radial functions).
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from judge.qm9_data import NAMES, QM9, halves, held_out, read

ELEMENTS = (1, 6, 7, 8, 9)
WIDTH, VECTORS, HIDDEN, LAYERS, HEADS, RADIAL, CUTOFF = 64, 32, 112, 3, 16, 20, 8.0
BATCH, RATE, EMA = 64, 2e-3, 0.998


class Layer(nn.Module):
    """One exchange between pairs of atoms."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = nn.Linear(WIDTH, WIDTH + VECTORS)
        self.near = nn.Parameter(torch.randn(HEADS, RADIAL) / RADIAL**0.5)
        self.turn = nn.Parameter(torch.randn(HEADS, RADIAL) / RADIAL**0.5)
        self.mixed = nn.Linear(VECTORS, 2 * VECTORS, bias=False)
        self.update = nn.Sequential(
            nn.Linear(2 * WIDTH + VECTORS, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, WIDTH + VECTORS)
        )
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, h: Tensor, v: Tensor, near: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Scalars and vectors of those that listen.

        Args:
            h: ``(B, M, C)``, of those that send.
            v: ``(B, 3, N, V)``, of the first N of them, which listen.
            near: ``(B, K, N M)``, radial functions.
            directions: ``(B, 3, 1, N, M)``.
        """
        b, m, c = h.shape
        n = v.shape[2]
        sent = nn.functional.silu(self.sent(self.norm(h))).view(b, m, HEADS, -1).transpose(1, 2)
        scalars, vectors = sent.split([c // HEADS, VECTORS // HEADS], -1)
        f, g = ((weights @ near).view(b, HEADS, n, m) for weights in (self.near, self.turn))
        heard = (f @ scalars).transpose(1, 2).reshape(b, n, c)
        turned = (g[:, None] * directions).transpose(1, 2).reshape(b, HEADS, 3 * n, m) @ vectors
        u = v + turned.view(b, HEADS, 3, n, -1).permute(0, 2, 3, 1, 4).reshape(b, 3, n, VECTORS)
        left, right = self.mixed(u).chunk(2, -1)
        length = left.square().sum(1).add(1e-6).sqrt()
        own = h[:, :n]
        change, gate = self.update(torch.cat([own, heard, length], -1)).split([c, VECTORS], -1)
        return own + change, u + gate[:, None] * right


class Judge(nn.Module):
    """mu (D), alpha (Bohr³) and gap (eV) of molecules."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Embedding(max(ELEMENTS) + 1, WIDTH, padding_idx=0)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.charge = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 2))
        self.dipole = nn.Linear(VECTORS, 1, bias=False)
        self.pooled = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU())
        self.weight = nn.Linear(WIDTH, 8)
        self.last = nn.Sequential(nn.Linear(10 * WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 1))
        self.register_buffer("composition", torch.zeros(max(ELEMENTS) + 1))
        self.register_buffer("scales", torch.tensor([0.0, 1.0, 0.0, 1.0]))

    def forward(self, numbers: Tensor, positions: Tensor) -> Tensor:
        """``(B, 3)`` of atomic numbers ``(B, N)``, zero in the padding, and positions ``(B, N, 3)`` in Å."""
        order = (numbers <= 1).long().argsort(dim=1, stable=True)
        numbers, positions = numbers.gather(1, order), positions.gather(1, order[..., None].expand_as(positions))
        b, n = len(numbers), int((numbers > 1).sum(1).max().clamp(min=1))  # atoms that are heavy in any, at most
        heavy, there = (numbers[:, :n] > 1).to(positions), (numbers > 0).to(positions)
        between = positions[:, None] - positions[:, :n, None]
        d = between.square().sum(-1).add(1e-8).sqrt()
        pairs = heavy[:, :, None] * there[:, None] * (1 - torch.eye(n, there.shape[1]))
        near = radial(d) * (pairs * (torch.cos(math.pi * (d / CUTOFF).clamp(max=1)) + 1) / 2)[:, None]
        directions = (between / d[..., None]).movedim(-1, 1)[:, :, None]
        h, v = self.enter(numbers), positions.new_zeros(b, 3, n, VECTORS)
        h, v = self.layers[0](h, v, near.flatten(2), directions)
        near, directions = (near[..., :n] * heavy[:, None, None]).flatten(2), directions[..., :n]
        for layer in self.layers[1:]:
            h, v = layer(h, v, near, directions)
        each, own = heavy[..., None], heavy.sum(1, keepdim=True).clamp(min=1)
        q, size = (self.charge(h) * each).unbind(-1)
        q = (q - q.sum(1, keepdim=True) / own) * heavy
        dipole = (q[..., None] * positions[:, :n]).sum(1) + (self.dipole(v)[..., 0] * heavy[:, None]).sum(-1)
        pooled = self.pooled(h) * each
        weights = (self.weight(h) + (each - 1) * 1e4).softmax(1)
        parts = [pooled.sum(1) / 9, pooled.sum(1) / own, (weights.transpose(1, 2) @ pooled).flatten(1)]
        mu = dipole.square().sum(-1).add(1e-6).sqrt()
        alpha = self.scales[0] + self.composition[numbers].sum(1) + self.scales[1] * size.sum(1)
        gap = self.scales[2] + self.scales[3] * self.last(torch.cat(parts, -1))[:, 0]
        return torch.stack([mu, alpha, gap], -1)

    def set_scales(self, numbers: Tensor, values: Tensor) -> None:
        """Takes what is linear in the composition, and mean and spread of the rest, from training molecules."""
        counts = torch.stack([(numbers == z).sum(1) for z in ELEMENTS] + [torch.ones(len(numbers))], 1).double()
        alpha, gap = values[:, 1:].double().unbind(1)
        fit = torch.linalg.lstsq(counts, alpha[:, None]).solution
        self.composition[list(ELEMENTS)] = fit[:-1, 0].float()
        spread = (alpha - (counts @ fit)[:, 0]).std()
        self.scales = torch.stack([fit[-1, 0], spread, gap.mean(), gap.std()]).float()


def radial(d: Tensor) -> Tensor:
    """``(B, K, N, N)``: Gaussians in exp(-d / 2), which are narrow where atoms are bonded."""
    centres = torch.linspace(math.exp(-CUTOFF / 2), math.exp(-0.7 / 2), RADIAL)
    width = float(centres[1] - centres[0])
    return torch.exp(-(((torch.exp(-d / 2)[:, None] - centres[:, None, None]) / width) ** 2))


def batches(data: QM9, rows: np.ndarray, rng: np.random.Generator | None) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Elements, positions and values of molecules of like size."""
    sizes = (data.atomic_numbers[rows] > 0).sum(1)
    noise = 0 if rng is None else rng.random(len(rows)) * 1.5
    order = rows[np.argsort(sizes + noise, kind="stable")]
    parts = np.array_split(order, -(-len(rows) // BATCH))
    for k in range(len(parts)) if rng is None else rng.permutation(len(parts)):
        own = parts[k]
        most = int((data.atomic_numbers[own] > 0).sum(1).max())
        yield (
            torch.from_numpy(data.atomic_numbers[own, :most].astype(np.int64)),
            torch.from_numpy(data.positions[own, :most]),
            torch.from_numpy(data.values[own]).float(),
        )


@torch.no_grad()
def errors(judge: Judge, data: QM9, rows: np.ndarray) -> dict[str, float]:
    """Mean absolute error of each property, in its unit."""
    off = torch.cat([(judge(z, x) - y).abs() for z, x, y in batches(data, rows, None)])
    return dict(zip(NAMES, off.mean(0).tolist(), strict=True))


def learn(data: QM9, rows: np.ndarray, epochs: int, seed: int = 0) -> Judge:
    """A judge that has learned from rows; what is kept is the average of its weights."""
    torch.manual_seed(seed)
    rng, judge = np.random.default_rng(seed), Judge()
    judge.set_scales(torch.from_numpy(data.atomic_numbers[rows]).long(), torch.from_numpy(data.values[rows]))
    unit = torch.stack([torch.tensor(1.5), judge.scales[1] * 1.5, judge.scales[3]])
    average = torch.optim.swa_utils.AveragedModel(
        judge, avg_fn=lambda mean, new, count: mean + (new - mean) * (1 - min(EMA, float(count) / (float(count) + 10)))
    )
    optimiser = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=1e-2)
    total, began = epochs * -(-len(rows) // BATCH), time.time()
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total, pct_start=0.05)
    for epoch in range(epochs):
        losses = []
        for z, x, y in batches(data, rows, rng):
            off = ((judge(z, x) - y) / unit).abs().mean(0)
            optimiser.zero_grad()
            off.sum().backward()
            nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
            optimiser.step()
            rate.step()
            average.update_parameters(judge)
            losses.append(off.detach() * unit)
        means = ", ".join(f"{name} {x:.3f}" for name, x in zip(NAMES, torch.stack(losses).mean(0), strict=True))
        print(f"epoch {epoch + 1} of {epochs}: {means}, {time.time() - began:.0f} s", flush=True)
    return average.module


def load(path: Path) -> Judge:
    """A judge that was kept."""
    judge = Judge()
    judge.load_state_dict(load_file(path))
    return judge.eval().requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of qm9pack's CSV files")
    parser.add_argument("--kept", type=Path, default=Path("runs/qm9.npz"))
    parser.add_argument("--out", type=Path, default=Path("runs/qm9_judge.safetensors"))
    parser.add_argument("--epochs", type=int, default=18)
    words = parser.parse_args()
    torch.set_num_threads(1)
    data = read(words.data, words.kept)
    judge = learn(data, halves()[0], words.epochs).eval()
    words.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(judge.state_dict(), words.out)
    validation, test = held_out()
    card = {"half": "A", "molecules": len(halves()[0]), "epochs": words.epochs, "test": errors(judge, data, test)}
    card |= {"tested": len(test), "half_b": errors(judge, data, halves()[1][:10_000])}
    words.out.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
    print(json.dumps(card))


if __name__ == "__main__":
    main()

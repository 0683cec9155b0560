"""Padded batches of molecules, and the order in which training sees them.

`MoleculeStore` keeps all molecules of a split as tensors on one device and gathers any selection of them without a
loop and without waiting for the device. `bucketed_order` cuts an epoch into batches of molecules of like size under a
budget of atom pairs, which is what memory and time are proportional to on complete graphs.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from molscore.datasets.layout import SCALE
from molscore.datasets.tensorfile import TensorFile
from molscore.randomness import Purpose, stream
from molscore.reprs import short_repr


class MoleculeBatch(NamedTuple):
    """B molecules padded to N atoms.

    Attributes:
        positions: ``(B, N, 3)`` float32, Å; zeros in the padding.
        atoms: ``(B, N)`` int64, class in the vocabulary.
        bonds: ``(B, N, N)`` int64, bond order 0 to 3, symmetric.
        mask: ``(B, N)`` bool, True for atoms.
        stereo: ``(B, S, 5)`` int64, tags as in `molscore.chem.stereo.tags`, four atoms and a code; 0 in the padding.
    """

    positions: Tensor
    atoms: Tensor
    bonds: Tensor
    mask: Tensor
    stereo: Tensor

    def __repr__(self) -> str:
        return short_repr(self)


def vocabulary_of(file: TensorFile) -> list[tuple[int, int]]:
    """All (atomic number, formal charge) in a file, sorted."""
    pairs = np.stack([file.arrays["atomic_numbers"].astype(int), file.arrays["formal_charges"].astype(int)], axis=1)
    return [(int(z), int(q)) for z, q in np.unique(pairs, axis=0)]


class MoleculeStore:
    """The molecules of one split as tensors on a device.

    Args:
        file: a tensor file.
        split: ``train``, ``valid`` or ``test``.
        vocabulary: (atomic number, formal charge) of each class.
        device: where the tensors live.

    Raises:
        ValueError: if the split is empty or the file holds an atom that is not in the vocabulary.
    """

    def __init__(
        self, file: TensorFile, split: str, vocabulary: list[tuple[int, int]], device: torch.device | str = "cpu"
    ):
        chosen = file.indices(split)
        if not len(chosen):
            raise ValueError(f"the tensor file has no molecules in the split '{split}'")
        arrays = file.arrays
        classes = np.full((256, 256), -1, dtype=np.int64)
        for k, (z, q) in enumerate(vocabulary):
            classes[z, q] = k
        atoms = classes[arrays["atomic_numbers"], arrays["formal_charges"]]
        if (atoms < 0).any():
            where = int(np.argmax(atoms < 0))
            pair = int(arrays["atomic_numbers"][where]), int(arrays["formal_charges"][where])
            raise ValueError(f"(atomic number, charge) {pair} is not in the vocabulary {vocabulary}")

        def tensor(x: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(x)).to(device)

        self.sizes = arrays["n_atoms"][chosen].astype(np.int64)
        self.bond_counts, self.tag_counts = (arrays[name][chosen].astype(np.int64) for name in ("n_bonds", "n_stereo"))
        self.n_atoms, self.n_bonds, self.n_tags = map(tensor, (self.sizes, self.bond_counts, self.tag_counts))
        self.atom_start = tensor(file.atom_offsets[chosen])
        self.bond_start, self.tag_start = tensor(file.bond_offsets[chosen]), tensor(file.stereo_offsets[chosen])
        self.positions = tensor(arrays["positions"])
        self.atoms = tensor(atoms.astype(np.uint8))
        self.bonds = tensor(arrays["bonds"])
        self.orders, self.stereo = tensor(arrays["bond_orders"]), tensor(arrays["stereo"])

    def __len__(self) -> int:
        return len(self.sizes)

    def gather(self, molecules: np.ndarray) -> MoleculeBatch:
        """Pads the chosen ``molecules`` (numbers within the split, ``(B,)``) into one batch.

        All sizes are known on the host, so that no value is read from the device.
        """
        from torch_geometric.utils import scatter  # it takes seconds to load: only who gathers pays for it

        chosen, b, n = self._to_device(molecules), len(molecules), int(self.sizes[molecules].max())
        atom, owner, place = _runs(self.atom_start[chosen], self.n_atoms[chosen], int(self.sizes[molecules].sum()))
        place += n * owner
        atoms = scatter(self.atoms[atom].long(), place, dim_size=b * n).view(b, n)
        positions = scatter(self.positions[atom].float() / SCALE, place, dim_size=b * n).view(b, n, 3)
        total = int(self.bond_counts[molecules].sum())
        bond, owner, _ = _runs(self.bond_start[chosen], self.n_bonds[chosen], total)
        i, j = self.bonds[bond].long().T
        place = torch.cat([i * n + j, j * n + i]) + n**2 * owner.repeat(2)
        bonds = scatter(self.orders[bond].long().repeat(2), place, dim_size=b * n**2).view(b, n, n)
        mask = torch.arange(n, device=chosen.device) < self.n_atoms[chosen, None]
        s, total = int(self.tag_counts[molecules].max()), int(self.tag_counts[molecules].sum())
        tag, owner, place = _runs(self.tag_start[chosen], self.n_tags[chosen], total)
        stereo = scatter(self.stereo[tag].long(), place + s * owner, dim_size=b * s).view(b, s, 5)
        return MoleculeBatch(positions, atoms, bonds, mask, stereo)

    def _to_device(self, numbers: np.ndarray) -> Tensor:
        """A copy that does not wait for the work the device already has: from pinned memory, in its turn."""
        tensor, device = torch.from_numpy(numbers), self.positions.device
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def _runs(start: Tensor, length: Tensor, total: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices ``start[k] ... start[k] + length[k] - 1`` for all k in a row, ``total`` in all; their k; their place."""
    owner = torch.repeat_interleave(length, output_size=total)
    first = torch.cumsum(length, 0) - length
    place = torch.arange(total, device=start.device) - first[owner]
    return start[owner] + place, owner, place


def bucketed_order(sizes: np.ndarray, pair_budget: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Cuts one epoch into batches of like size.

    Molecules are shuffled and sorted by size; consecutive ones share a batch while ``B * N_max**2 <= pair_budget``; the
    batches are shuffled. The order depends on ``(seed, epoch)`` alone, so a resumed run goes on where it was killed.

    Args:
        sizes: ``(M,)`` atoms per molecule.
        pair_budget: padded atom pairs per batch; a larger single molecule still gets a batch of its own.
        seed: of the run.
        epoch: number of the epoch.

    Returns:
        Arrays of molecule numbers, each molecule once.
    """
    rng = stream(seed, Purpose.ORDER, epoch)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    batches, start = [], 0
    while start < len(order):
        count = max(1, pair_budget // int(sizes[order[start]]) ** 2)
        batches.append(order[start : start + count])
        start += count
    return [batches[k] for k in rng.permutation(len(batches))]


def batches_from(sizes: np.ndarray, pair_budget: int, seed: int, start: int) -> Iterator[np.ndarray]:
    """Endless batches, epoch after epoch, from number ``start`` of the whole sequence on."""
    # Every epoch has as many batches: sorted, the sizes are the same.
    epoch, start = divmod(start, len(bucketed_order(sizes, pair_budget, seed, 0)))
    while True:
        order = bucketed_order(sizes, pair_budget, seed, epoch)
        yield from order[start:]
        epoch, start = epoch + 1, 0

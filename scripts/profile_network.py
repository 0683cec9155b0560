"""Where the time of one evaluation of the network goes, on one thread of a CPU.

    python scripts/profile_network.py
    python scripts/profile_network.py --model conformers --molecules 32

Prints what the machine can do (matrix rate and bandwidth, measured), what one evaluation costs (operations of its
matrix products, bytes that its calls read and write, time), what share of the matrix rate that is, and the calls of
PyTorch that take longest, by the line of the network that makes them. A call's time is its shortest of many, with what
timing adds taken off: that of a quiet machine and warm caches. Molecules are random, of the model's sizes, sorted as
generation sorts them.
"""

import argparse
import statistics
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from bench import matrix_rate, operations, random_batch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from molscore import pretrained
from molscore.model import MoleculeDiffusion
from molscore.model.denoisers import ConformerDenoiser, MoleculeDenoiser
from molscore.model.files import load


class Calls(TorchDispatchMode):
    """Time, bytes and place of every call of PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.bytes: list[int] = []
        self.names: list[tuple[str, str]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        began = time.perf_counter()
        out = func(*args, **(kwargs or {}))
        self.seconds.append(time.perf_counter() - began)
        touched = {x.data_ptr(): x for x in tree_leaves((args, kwargs, out)) if isinstance(x, torch.Tensor)}
        self.bytes.append(sum(x.numel() * x.element_size() for x in touched.values()))
        frames = [f for f in traceback.extract_stack(limit=16) if "/molscore/" in f.filename]
        place = f"{frames[-1].filename.split('/molscore/')[-1]}:{frames[-1].lineno}" if frames else ""
        self.names.append((str(func).split(".")[-2], place))
        return out


def evaluation(model: MoleculeDiffusion, molecules: int) -> Callable[[], Any]:
    """One evaluation of a batch, in the middle of the way; the mask of the batch as an attribute."""
    batch = random_batch(model, molecules)
    generator = torch.Generator().manual_seed(0)
    if model.config.graph_conditioned == 1:
        known, z = ConformerDenoiser(model, batch), torch.randn(*batch.mask.shape, 3, generator=generator)
        return lambda: known(z, torch.tensor(0.5))
    denoiser = MoleculeDenoiser(model, batch.mask)
    z = torch.randn(molecules, sum(denoiser.layout.parts), generator=generator)
    carry = denoiser(z, torch.tensor([0.5]).expand(z.shape)).carry
    return lambda: denoiser(z, torch.tensor([0.5]).expand(z.shape), carry)


def bandwidth() -> float:
    """Bytes per second of copying from memory to memory, read and written."""
    x = torch.ones(2**26)
    y = torch.empty_like(x)
    return 2 * x.numel() * x.element_size() / min(clocked(lambda: y.copy_(x)) for _ in range(5))


def clocked(run: Callable[[], Any]) -> float:
    """Seconds of a call."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


@torch.no_grad()
def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="druglike", help="bundled model or file")
    parser.add_argument("--molecules", type=int, default=16, help="in a batch")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--rows", type=int, default=30, help="of the table")
    words = parser.parse_args()
    torch.set_num_threads(1)
    words.device, words.bf16 = "cpu", False
    model = load(pretrained.find(words.model), "cpu")
    run = evaluation(model, words.molecules)
    work, rate = operations(run), matrix_rate(words)
    seconds = statistics.median(clocked(run) for _ in range(words.repeats))

    best, calls = [float("inf")], Calls()
    for _ in range(words.repeats):
        calls = Calls()
        with calls:
            run()
        best = [min(pair) for pair in zip(best, calls.seconds, strict=True)] if len(best) > 1 else calls.seconds
    empty = min(best)  # of a call that computes nothing
    mask = random_batch(model, words.molecules).mask
    real = float(mask.sum(1).square().sum() / (len(mask) * mask.shape[1] ** 2))
    print(f"machine      {rate / 1e9:.0f} GFLOP/s of large products, {bandwidth() / 1e9:.1f} GB/s")
    print(f"batch        {len(mask)} molecules of up to {mask.shape[1]} atoms, {real:.0%} of the pairs no padding")
    print(f"evaluation   {work / 1e9:.2f} GFLOP, {sum(calls.bytes) / 1e6:.0f} MB, {len(best)} calls")
    print(f"             {seconds * 1e3:.1f} ms, the calls alone {(sum(best) - empty * len(best)) * 1e3:.1f} ms")
    print(f"share        {work / seconds / rate:.0%} of the matrix rate\n")
    rows: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for name, s, b in zip(calls.names, best, calls.bytes, strict=True):
        for k, value in enumerate((1, s - empty, b)):
            rows[name][k] += value
    print(f"{'call':26}{'place':28}{'calls':>6}{'us':>9}{'GB/s':>8}")
    for (call, place), (count, s, b) in sorted(rows.items(), key=lambda row: -row[1][1])[: words.rows]:
        print(f"{call:26}{place:28}{count:6.0f}{s * 1e6:9.0f}{b / max(s, 1e-9) / 1e9:8.1f}")


if __name__ == "__main__":
    main()

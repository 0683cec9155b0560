"""How fast the machine trains and samples, and what share of its matrix rate that is, as JSON.

    python scripts/bench.py                               # the bundled model, this machine
    python scripts/bench.py --compile --out data/benchmarks/speed.json
    python scripts/bench.py --device cuda --compile --bf16 --profile

The work of a step is counted, not estimated: torch's flop counter adds up the matrix products of one training step and
of one network evaluation. The machine's matrix rate is measured on products of 2,048 x 2,048 matrices in the same
precision and with the same threads. Molecules are random, of QM9's sizes; the speed does not depend on their chemistry.
Every figure is the median of several repetitions, with the fastest and the slowest beside it.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from results import write_json
from torch.utils.flop_counter import FlopCounterMode

from molscore import pretrained
from molscore.datasets.batch import MoleculeBatch
from molscore.model import MoleculeDiffusion
from molscore.model.files import load
from molscore.model.sampling import sample_molecules
from molscore.model.state import size_mask
from molscore.network.linear import ONEDNN
from molscore.train.optimiser import make_optimisers


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qm9", help="bundled model or file")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--molecules", type=int, default=48, help="in a batch")
    parser.add_argument("--steps", type=int, default=20, help="of the sampler")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="measure the compiled layers too, which takes minutes")
    parser.add_argument("--bf16", action="store_true", help="train under autocast")
    parser.add_argument("--profile", action="store_true", help="also print the operators of a training step to stderr")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    words = parser.parse_args()
    if words.threads:
        torch.set_num_threads(words.threads)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)
    model = load(pretrained.find(words.model), words.device)
    batch = random_batch(model, words.molecules)
    step = training_step(model, batch, words)
    draw = sampling(model, batch, words)
    work = {"training": operations(step), "sampling": operations(draw)}
    rate = matrix_rate(words)

    def speeds() -> dict[str, dict[str, float]]:
        return {name: measure(run, words, rate, work[name]) for name, run in (("training", step), ("sampling", draw))}

    result = {
        "model": words.model,
        "parameters": sum(p.numel() for p in model.parameters()),
        "device": torch.cuda.get_device_name() if words.device.startswith("cuda") else "CPU",
        "threads": torch.get_num_threads(),
        "precision": "bf16" if words.bf16 else "float32",
        "matrix_gflops_per_s": round(rate / 1e9, 1),
        "molecules_in_a_batch": words.molecules,
        "sampler_steps": words.steps,
        "eager": speeds(),
    }
    if words.compile:  # only now: the compiler gives way to whatever counts operators
        model.network.compile_layers()
        result["compiled"] = speeds()
    print(json.dumps(result, indent=1))
    if words.out:
        write_json(words.out, result)
    if words.profile:
        profile(step, words)


def markdown(result: dict) -> str:
    """The figures as a table."""
    kinds = [kind for kind in ("eager", "compiled") if kind in result]
    lines = ["| | " + " | ".join(f"{kind}, molecules/s | share of matrix rate" for kind in kinds) + " |"]
    lines.append("|---" * (1 + 2 * len(kinds)) + "|")
    for job, name in (("training", "training"), ("sampling", f"sampling, {result['sampler_steps']} evaluations")):
        cells = [
            f"{result[k][job]['molecules_per_s']:.0f} | {result[k][job]['share_of_matrix_rate']:.1%}" for k in kinds
        ]
        lines.append(f"| {name} | " + " | ".join(cells).replace("%", " %") + " |")
    return "\n".join(lines)


def random_batch(model: MoleculeDiffusion, molecules: int) -> MoleculeBatch:
    """Molecules of the model's sizes with random atoms and bonds; sorted sizes share a batch, as in training."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.multinomial(model.size_probabilities.cpu(), 8 * molecules, replacement=True, generator=generator)
    sizes = sizes.sort().values[3 * molecules : 4 * molecules]
    mask = size_mask(sizes.tolist())
    b, n = mask.shape
    bonds = torch.randint(4, (b, n, n), generator=generator).triu(1)
    batch = MoleculeBatch(
        torch.randn(b, n, 3, generator=generator) * 1.5 * mask[..., None],
        torch.randint(len(model.vocabulary), (b, n), generator=generator) * mask,
        (bonds + bonds.transpose(1, 2)) * (mask[:, :, None] & mask[:, None]),
        mask,
        torch.zeros(b, 0, 5, dtype=torch.int64),
    )
    return MoleculeBatch(*(x.to(model.device) for x in batch))


def training_step(model: MoleculeDiffusion, batch: MoleculeBatch, words: argparse.Namespace) -> Callable[[], None]:
    """One optimiser step; every second one is self-conditioned, as in training."""
    optimisers = make_optimisers(model, 0.0, 0.0, 0.0)
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        with torch.autocast(batch.mask.device.type, torch.bfloat16, enabled=words.bf16):
            loss = model.loss(batch, conditioned=bool(count % 2))["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()

    return step


def sampling(model: MoleculeDiffusion, batch: MoleculeBatch, words: argparse.Namespace) -> Callable[[], None]:
    """A batch of samples from noise."""
    sizes = batch.mask.sum(1).tolist()

    def draw() -> None:
        sample_molecules(model, sizes, [np.random.default_rng(k) for k in range(len(sizes))], steps=words.steps)

    return draw


def operations(run: Callable[[], None]) -> float:
    """Operations of the matrix products of a call, the mean of two."""
    own = {} if ONEDNN is None else {ONEDNN: linear_flops}
    with FlopCounterMode(display=False, custom_mapping=own) as counter:
        run()
        run()
    return counter.get_total_flops() / 2


def linear_flops(x: torch.Size, weight: torch.Size, *_: object, out_shape: object = None, **__: object) -> int:
    """Operations of oneDNN's linear map, which torch's counter does not know."""
    return 2 * math.prod(x) * weight[0]


def measure(run: Callable[[], None], words: argparse.Namespace, rate: float, work: float) -> dict[str, float]:
    """Molecules per second, operations per molecule, share of the matrix rate; after two calls that warm up."""
    run()
    run()
    seconds = [clocked(lambda: (run(), run()), words.device) / 2 for _ in range(words.repeats)]
    middle, molecules = statistics.median(seconds), words.molecules
    return {
        "molecules_per_s": round(molecules / middle, 1),
        "slowest": round(molecules / max(seconds), 1),
        "fastest": round(molecules / min(seconds), 1),
        "mflop_per_molecule": round(work / molecules / 1e6, 1),
        "share_of_matrix_rate": round(work / middle / rate, 4),
    }


def clocked(run: Callable[[], object], device: str) -> float:
    """Seconds of a call, the device's work included."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    wait()
    began = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - began


def matrix_rate(words: argparse.Namespace) -> float:
    """Operations per second of large matrix products."""
    a = torch.randn(2048, 2048, device=words.device, dtype=torch.bfloat16 if words.bf16 else torch.float32)
    a @ a
    return 2 * 2048**3 / min(clocked(lambda: a @ a, words.device) for _ in range(10))


def profile(step: Callable[[], None], words: argparse.Namespace) -> None:
    """The twenty-five operators that take longest."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as watch

    cuda = words.device.startswith("cuda")
    with watch(activities=[ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU]) as watched:
        step()
        step()
    key = "self_cuda_time_total" if cuda else "self_cpu_time_total"
    print(watched.key_averages().table(sort_by=key, row_limit=25), file=sys.stderr)


if __name__ == "__main__":
    main()

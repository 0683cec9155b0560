"""The training loop: batch, loss, step, moving average, checkpoint. Needs a tensor file, but no RDKit.

A run is a folder. Its ``checkpoint.pt`` is replaced whole and holds all that is needed to go on as if nothing had
happened. The batch, the times and the noise of step k depend on ``(seed, k)`` alone.
"""

import os
import platform
import time
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
import yaml
from accelerate import Accelerator
from e3nn import o3
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from molscore.datasets.batch import MoleculeStore, batches_from, bucketed_order, vocabulary_of
from molscore.datasets.tensorfile import read_tensorfile
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.files import save as save_model
from molscore.train.config import ConfigError, TrainConfig
from molscore.train.log import RunLog

VALID_EPOCH = 2**31
"""Seeds of validation live beyond those of any training step."""


def train(config: TrainConfig, resume: bool = False, quiet: bool = False) -> Path:
    """Trains a model, or goes on with one.

    Args:
        config: the run.
        resume: go on from the checkpoint in ``config.out``.
        quiet: show no progress.

    Returns:
        The path of the averaged weights, ``out/model.safetensors``.

    Raises:
        ConfigError: if the folder already holds a run and ``resume`` is False, holds none and it is True, or holds one
            of another model.
        FileNotFoundError, TensorFileError: for the data.
        FloatingPointError: if the loss is no longer a number; the last checkpoint stays.
    """
    checkpoint = config.out / "checkpoint.pt"
    if checkpoint.exists() and not resume:
        raise ConfigError(f"{config.out} already holds a run: add --resume to go on with it, or choose another 'out'")
    if resume and not checkpoint.exists():
        raise ConfigError(f"there is nothing to resume in {config.out}: run without --resume first")
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)
    accelerator = Accelerator(mixed_precision=config.mixed_precision)
    device, main = accelerator.device, accelerator.is_main_process
    file = read_tensorfile(config.data)
    vocabulary = vocabulary_of(file)
    data = MoleculeStore(file, "train", vocabulary, device)
    valid = MoleculeStore(file, "valid", vocabulary, device)

    torch.manual_seed(config.seed)
    model = MoleculeDiffusion(config.model, vocabulary, np.bincount(data.sizes) / len(data)).to(device)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay))
    optimiser = torch.optim.AdamW(
        _parameter_groups(model, config), weight_decay=config.weight_decay, fused=device.type == "cuda"
    )
    parts = {"model": model, "average": average, "optimiser": optimiser}
    step, molecules, seconds = _restore(checkpoint, parts, device) if resume else (0, 0, 0.0)
    saved = step if resume else None
    if config.compile:
        _compile(model)
    network, optimiser = accelerator.prepare(model, optimiser)

    hardware = _hardware(device, accelerator.num_processes)

    def save() -> None:
        nonlocal saved
        record = {"step": step, "molecules": molecules, "seconds": round(seconds, 1), "hardware": hardware}
        record["valid"] = validate(average.module, valid, config)
        log.write({"step": step, "molecules": molecules, "seconds": seconds, "valid": record["valid"]})
        state = {name: part.state_dict() for name, part in parts.items()}
        temporary = checkpoint.with_suffix(".tmp")
        torch.save(state | {"step": step, "molecules": molecules, "seconds": seconds}, temporary)
        os.replace(temporary, checkpoint)
        saved = step
        # The model travels: it names its data and run, not the folders of the machine it was made on.
        record["config"] = config.model_dump(mode="json") | {"data": config.data.name, "out": config.out.name}
        save_model(average.module, config.out / "model.safetensors", record)
        log.plot(config.out / "curves.png")

    if main:
        config.out.mkdir(parents=True, exist_ok=True)
        (config.out / "config.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    world, rank = accelerator.num_processes, accelerator.process_index
    began, before = time.monotonic(), seconds
    with RunLog(config.out / "log.jsonl", step, config.steps, show=main and not quiet, write=main) as log:
        for chosen in batches_from(data.sizes, config.pair_budget, config.seed, step * world + rank, stride=world):
            if step >= config.steps or (config.max_seconds and seconds - before >= config.max_seconds):
                break
            rate = learning_rate(config, step)
            for group in optimiser.param_groups:
                group["lr"] = rate * group["scale"]
            generator = torch.Generator(device).manual_seed(_mix(config.seed, step * world + rank))
            with accelerator.autocast():
                losses = network(data.gather(chosen), generator)
            accelerator.backward(losses["loss"])
            norm = accelerator.clip_grad_norm_(model.parameters(), config.clip_norm)
            if not torch.isfinite(norm):
                raise FloatingPointError(f"the gradient is not finite at step {step}; lower learning_rate and --resume")
            optimiser.step()
            optimiser.zero_grad()
            average.update_parameters(model)
            step, molecules = step + 1, molecules + len(chosen) * world
            seconds = before + time.monotonic() - began
            values = {name: value.detach() for name, value in losses.items()} | {"gradient_norm": norm}
            log.step(step, molecules, seconds, rate, values, every=config.log_every)
            if main and step % config.checkpoint_every == 0:
                save()
        if main and step != saved:
            save()
    return config.out / "model.safetensors"


def _restore(checkpoint: Path, parts: dict[str, Any], device: torch.device) -> tuple[int, int, float]:
    """Loads the states of ``parts``; returns steps, molecules and seconds so far."""
    try:
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        return saved["step"], saved["molecules"], saved["seconds"]
    except (RuntimeError, ValueError, KeyError, EOFError, UnpicklingError) as error:
        raise ConfigError(
            f"cannot go on from {checkpoint}: it is damaged, or its model or data were others (see config.yaml)"
        ) from error


def _compile(model: MoleculeDiffusion) -> None:
    """Compiles layer by layer.

    e3nn generates code for every linear map, so that no two layers share a graph, and each needs up to four: with and
    without gradients, for one molecule and for several. Beyond torch's limit, layers would silently stay as they are.
    """
    limits = torch._dynamo.config
    limits.recompile_limit = max(limits.recompile_limit, 4 * len(model.network.layers))
    for layer in model.network.layers:
        layer.compile(dynamic=True)


def _parameter_groups(model: MoleculeDiffusion, config: TrainConfig) -> list[dict[str, Any]]:
    """Parameters with the factor that their learning rate gets.

    e3nn keeps the weights of its linear maps at order one and divides by the root of their number in the forward pass.
    A step of Adam is as large as the learning rate whatever the gradient, so these weights would hardly move at the
    rate that suits ordinary layers, whose weights are small.
    """
    e3nn = {p for module in model.modules() if isinstance(module, o3.Linear) for p in module.parameters()}
    ordinary = [p for p in model.parameters() if p not in e3nn]
    equivariant = [p for p in model.parameters() if p in e3nn]
    return [
        {"params": ordinary, "lr": config.learning_rate, "scale": 1.0},
        {"params": equivariant, "lr": config.learning_rate, "scale": config.equivariant_rate},
    ]


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, constant, then linear decay to zero over the last ``decay_steps``."""
    up = min(1.0, (step + 1) / max(1, config.warmup_steps))
    down = min(1.0, (config.steps - step) / config.decay_steps) if config.decay_steps else 1.0
    return config.learning_rate * min(up, down)


@torch.no_grad()
def validate(model: MoleculeDiffusion, valid: MoleculeStore, config: TrainConfig) -> dict[str, float]:
    """Mean losses on the same molecules, times and noise at every call."""
    order = bucketed_order(valid.sizes, config.pair_budget, config.seed, VALID_EPOCH)[: config.valid_batches]
    device, total, count = valid.positions.device, {}, 0
    for k, chosen in enumerate(order):
        generator = torch.Generator(device).manual_seed(_mix(VALID_EPOCH, k))
        for name, value in model.loss(valid.gather(chosen), generator).items():
            total[name] = total.get(name, 0.0) + float(value) * len(chosen)
        count += len(chosen)
    return {name: value / count for name, value in total.items()}


def _mix(seed: int, k: int) -> int:
    """One 63-bit seed from two numbers."""
    return int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0] >> 1)


def _hardware(device: torch.device, processes: int) -> str:
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}"
    return f"CPU ({platform.machine()}), {processes} x {torch.get_num_threads()} threads"


def describe(record: dict[str, Any]) -> str:
    """One line about a training record."""
    return (
        f"{record['molecules']:,} molecules in {record['seconds'] / 3600:.2f} h on {record['hardware']}, "
        f"{record['step']:,} steps"
    )

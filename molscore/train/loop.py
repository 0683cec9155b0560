"""The training loop: batch, loss, step, moving average, checkpoint. Needs a tensor file, but no RDKit.

A run is a folder. Its ``checkpoint.pt`` is replaced whole and holds all that is needed to resume it
exactly. The batch, the times and the noise of step k depend on ``(seed, k)`` alone: every process samples all of them
and computes its share of the molecules, so that any number of processes takes the same steps up to rounding.

Between two lines of the log nothing waits for the device: no value is read from it.
"""

import math
import time
import warnings
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import yaml
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from molscore.datasets.batch import MoleculeStore, batches_from, bucketed_order, vocabulary_of
from molscore.datasets.tensorfile import read_tensorfile
from molscore.files.lock import locked
from molscore.files.output import write_text
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.distillation import Distillation
from molscore.model.files import save as save_model
from molscore.model.posterior import fit_posterior
from molscore.randomness import Purpose, stream, torch_seed
from molscore.train.checkpoint import Progress, go_on_from, write_checkpoint
from molscore.train.config import CHECKPOINT, ConfigError, TrainConfig, check
from molscore.train.log import RunLog
from molscore.train.optimiser import make_optimisers
from molscore.train.record import LEDGER_HEAD, Record, hardware, ledger_row, sha256
from molscore.train.sharing import SharedSteps
from molscore.train.start import begin_from, distilled

VALID_EPOCH = 2**31
"""The order of the validation molecules is that of an epoch which training never reaches."""


def train(config: TrainConfig, resume: bool = False, quiet: bool = False, init_from: str | None = None) -> Path:
    """Trains a model, or goes on with one.

    Args:
        config: the run.
        resume: go on from the checkpoint in ``config.out``.
        quiet: show no progress.
        init_from: begin with the weights of a finished model, a bundled one's name or a ``.safetensors`` file.

    Returns:
        The path of the averaged weights, ``out/model.safetensors``.

    Raises:
        ConfigError: if the folder already holds a run and ``resume`` is False, holds none and it is True, or holds a
            damaged one or one of another model; if the data lack a split; if ``init_from`` is of another model, or
            given with ``resume``; for ``compile`` with an energy head.
        FileNotFoundError, TensorFileError: for the data.
        OSError: if the folder cannot be written to, or the disk is full; the last checkpoint stays.
        FloatingPointError: if the loss is no longer a number; the last checkpoint stays.
        BusyError: if another process trains in the same folder.
    """
    check(config, resume, init_from)
    checkpoint = config.out / CHECKPOINT
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)
    exchange = DistributedDataParallelKwargs(broadcast_buffers=False, gradient_as_bucket_view=True)
    cpu = not torch.accelerator.is_available()  # else several processes on CPUs do not find each other
    accelerator = Accelerator(cpu=cpu, mixed_precision=config.mixed_precision, kwargs_handlers=[exchange])
    device, main = accelerator.device, accelerator.is_main_process
    world, rank = accelerator.num_processes, accelerator.process_index
    file = read_tensorfile(config.data)
    vocabulary = vocabulary_of(file)
    try:
        data, valid = (MoleculeStore(file, split, vocabulary, device) for split in ("train", "valid"))
    except ValueError as error:
        raise ConfigError(f"cannot train on {config.data}: {error}; prepare more molecules") from error

    torch.manual_seed(torch_seed(config.seed, Purpose.INITIAL_WEIGHTS))
    model = MoleculeDiffusion(config.model, vocabulary, (np.bincount(data.sizes) / len(data)).tolist()).to(device)
    progress = begin_from(start, model) if (start := init_from or config.teacher) else Progress()
    trained = distilled(config.teacher, model) if config.teacher else model
    average = AveragedModel(trained, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay)).eval()
    judged = average.module
    averaged = judged.student if isinstance(judged, Distillation) else judged
    assert isinstance(judged, MoleculeDiffusion | Distillation) and isinstance(averaged, MoleculeDiffusion)
    rates = config.learning_rate, config.matrix_rate, config.weight_decay
    critic = (trained.critic, config.critic_rate) if isinstance(trained, Distillation) else None
    optimisers = make_optimisers(model, *rates, critic)
    if resume:
        progress = go_on_from(checkpoint, trained, average, optimisers)
    step, molecules, seconds, origin = progress
    saved = step if resume else None
    for each in (trained.models if isinstance(trained, Distillation) else [model]) if config.compile else []:
        each.network.compile_layers()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch, about an argument that accelerate passes
        network, *wrapped = accelerator.prepare(trained, *optimisers)
    muon = SharedSteps(wrapped.pop(), rank, world) if world > 1 and len(wrapped) > 1 else None
    machine, digest = hardware(device, world), sha256(config.data)
    # The model travels: it names its data and run, not the folders of the machine it was made on.
    settings = config.model_dump(mode="json") | {"data": config.data.name, "out": config.out.name}

    def save() -> None:
        nonlocal saved
        losses = validate(judged, valid, config)
        if not math.isfinite(losses["loss"]):
            raise FloatingPointError(f"the loss is not finite at step {step}; lower learning_rate and --resume")
        log.write({"step": step, "molecules": molecules, "seconds": seconds, "valid": losses})
        write_checkpoint(checkpoint, trained, average, optimisers, Progress(step, molecules, seconds, origin))
        saved = step
        record: Record = {
            "step": step,
            "molecules": molecules,
            "seconds": round(seconds, 3),
            "valid": losses,
            "hardware": machine,
            "data_sha256": digest,
            "config": settings,
        }
        if origin:
            record["init_from"] = origin
        weights = config.out / "model.safetensors"
        save_model(averaged, weights, record)
        write_text(config.out / "ledger.md", LEDGER_HEAD + ledger_row(record, weights) + "\n")
        log.plot(config.out / "curves.png")

    alone = ExitStack()
    if main:
        config.out.mkdir(parents=True, exist_ok=True)
        alone.enter_context(locked(config.out / "run"))
        write_text(config.out / "config.yaml", yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    generator = torch.Generator(device)
    began, before = time.monotonic(), seconds
    show = main and not quiet
    with (
        alone,
        RunLog(config.out / "log.jsonl", step, config.steps, show, write=main, reduce=accelerator.reduce) as log,
    ):
        batches = batches_from(data.sizes, config.pair_budget, config.seed, step)
        for chosen in islice(batches, max(config.steps - step, 0)):
            rate = schedule(config, step)
            for optimiser in optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = rate * group["peak"]
            generator.manual_seed(torch_seed(config.seed, Purpose.TRAINING_NOISE, step))
            # A process for which no molecule is left computes one that does not count.
            rows, counts = slice(rank % len(chosen), None, world), rank < len(chosen)
            with accelerator.autocast():
                losses = network(data.gather(chosen), generator, rows, _conditioned(config, step))
            accelerator.backward(losses["loss"] * (world * counts))  # gradients are averaged over the processes
            norm = accelerator.clip_grad_norm_(trained.parameters(), config.clip_norm)
            for stepping in [*wrapped, muon] if muon else wrapped:
                stepping.step()
            for optimiser in optimisers:
                optimiser.zero_grad()
            _update(average, trained)
            step, molecules = step + 1, molecules + len(chosen)
            seconds = before + time.monotonic() - began
            values = {name: value.detach() * counts for name, value in losses.items()} | {"gradient_norm": norm / world}
            line = log.step(step, molecules, seconds, rate * config.learning_rate, values, every=config.log_every)
            if line and not math.isfinite(line["gradient_norm"]):
                raise FloatingPointError(f"the gradient is not finite at step {step}; lower learning_rate and --resume")
            if step % config.checkpoint_every == 0:
                if muon:
                    muon.gather()
                if main:
                    save()
            if line and 0 < config.max_seconds <= line["seconds"] - before:
                break
        if muon:
            muon.gather()
        if main and config.model.graph_conditioned and not config.teacher:
            averaged.posterior, saved = fit_posterior(averaged, data), None
        if main and step != saved:
            save()
    accelerator.wait_for_everyone()  # a process that takes its group down while another works may never return
    del network, wrapped, muon  # they hold on to the group
    accelerator.end_training()
    return config.out / "model.safetensors"


def _conditioned(config: TrainConfig, step: int) -> bool:
    """Whether this step's batch sees a previous prediction: decided on the host, the same in every process."""
    return bool(stream(config.seed, Purpose.SELF_CONDITIONING, step).random() < config.model.self_conditioning)


@torch.no_grad()
def _update(average: AveragedModel, model: nn.Module) -> None:
    """One step of the moving average. `AveragedModel.update_parameters` would wait for its counter on the device."""
    assert average.multi_avg_fn is not None
    average.multi_avg_fn(list(average.module.parameters()), list(model.parameters()), average.n_averaged)


def schedule(config: TrainConfig, step: int) -> float:
    """Share of the peak rates: linear warm-up, constant, then linear decay to zero over the last ``decay_steps``."""
    up = min(1.0, (step + 1) / max(1, config.warmup_steps))
    down = min(1.0, (config.steps - step) / config.decay_steps) if config.decay_steps else 1.0
    return min(up, down)


@torch.no_grad()
def validate(model: MoleculeDiffusion | Distillation, valid: MoleculeStore, config: TrainConfig) -> dict[str, float]:
    """Mean losses on the same molecules, times and noise at every call."""
    order = bucketed_order(valid.sizes, config.pair_budget, config.seed, VALID_EPOCH)[: config.valid_batches]
    total: dict[str, float] = {}
    device, count = valid.positions.device, 0
    for k, chosen in enumerate(order):
        generator = torch.Generator(device).manual_seed(torch_seed(0, Purpose.VALIDATION_NOISE, k))
        for name, value in model.loss(valid.gather(chosen), generator).items():
            total[name] = total.get(name, 0.0) + float(value) * len(chosen)
        count += len(chosen)
    return {name: value / count for name, value in total.items()}

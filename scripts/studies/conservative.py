"""How far a molecular score is from a gradient, and what it costs to make it one.

The score of a density is a gradient: its Jacobian J is symmetric. A network's is only nearly so; |A| / |J|, with A the
antisymmetric part, tells how nearly (Frobenius norms, estimated with probes). It is measured for the shipped model of
known graphs over the noise, and along the training of a small network, beside a twin whose score is minus the gradient
of an energy, which is symmetric by construction and pays with second derivatives.

Source: Salimans and Ho, "Should EBMs model the energy or the score?", ICLR 2021 workshop; Chao et al., "On
investigating the conservative property of score-based generative models", ICML 2023.
"""

import time

import numpy as np
import torch
from matplotlib.figure import Figure
from studies.molecules import heavy_atoms, known_to

from molscore import pretrained
from molscore.core.divergence import rotation
from molscore.core.sde import perturb
from molscore.model import DiffusionConfig, MoleculeDiffusion, load
from molscore.model.conformation import centred_noise, centred_probes, scaled
from molscore.model.denoisers import ConformerDenoiser
from molscore.network.network import NetworkConfig
from molscore.score.represent import batch_of

MODEL, PROBED, PROBES = "conformers", 16, 4
TIMES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95)
MOLECULES, HELD_OUT, BATCH, STEPS, EVERY, RATE = 240, 48, 12, 400, 50, 3e-3
SIZES = {"irreps": "48x0e + 8x1o", "pair_channels": 16, "layers": 2, "heads": 4, "radial": 10, "vectors": 4}


def run() -> dict:
    """Rotation against noise for the shipped model; loss, rotation and time of two small networks in training."""
    model = load(pretrained.find(MODEL))
    molecules = known_to(model, PROBED)
    shipped = [{"t": t, "rotation": rotation_at(model, molecules, t)} for t in TIMES]
    everything = heavy_atoms(MOLECULES, tuple(model.vocabulary))
    twins = {name: trained(model, everything, energy) for name, energy in (("displacement", False), ("energy", True))}
    return {"model": MODEL, "molecules": PROBED, "shipped": shipped, "training": twins}


def rotation_at(model: MoleculeDiffusion, molecules: list, t: float) -> float:
    """|A| / |J| of the score at molecules noised to time t."""
    batch = batch_of(molecules, model)
    random = [np.random.default_rng(k) for k in range(len(molecules))]
    x0, t_x = scaled(model, batch), torch.tensor(t)
    x = perturb(model.sde, x0, t_x, centred_noise(batch.mask.sum(1).tolist(), batch.mask.shape[1], random))
    probes = centred_probes(batch.mask, random, PROBES)
    score = ConformerDenoiser(model, batch).score
    skew, whole = rotation(lambda z: score(z, t_x), x, probes)
    return (skew.sum() / whole.sum()).sqrt().item()


def trained(like: MoleculeDiffusion, molecules: list, energy: bool) -> dict:
    """A small graph-conditioned network: held-out loss and rotation along its training, seconds per step."""
    torch.manual_seed(0)
    network = NetworkConfig(**SIZES, condition_channels=32, energy=energy)
    config = DiffusionConfig(network=network, graph_conditioned=1, atom_weight=0, bond_weight=0, self_conditioning=0)
    model = MoleculeDiffusion(config, like.vocabulary, like.size_probabilities.clone())
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    held, kept = molecules[:HELD_OUT], molecules[HELD_OUT:]
    generator, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)
    rows, seconds = [], 0.0
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            rows.append({"step": step, "seconds": seconds, "loss": loss_of(model, held)})
            rows[-1]["rotation"] = rotation_at(model.eval(), held[:PROBED], 0.2)
        began = time.perf_counter()
        batch = batch_of([kept[k] for k in rng.choice(len(kept), BATCH, replace=False)], model)
        loss = model.train().loss(batch, generator, conditioned=False)["loss"]
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        seconds += time.perf_counter() - began
    return {"parameters": sum(p.numel() for p in model.parameters()), "seconds_per_step": seconds / STEPS, "rows": rows}


@torch.no_grad()
def loss_of(model: MoleculeDiffusion, molecules: list) -> float:
    """The velocity error of held-out molecules, at the same times and noise at every call."""
    return (
        model.eval()
        .loss(batch_of(molecules, model), torch.Generator().manual_seed(1), conditioned=False)["loss"]
        .item()
    )


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    shares = [row["rotation"] for row in result["shipped"]]
    plain, energy = (result["training"][name] for name in ("displacement", "energy"))
    return (
        f"The shipped score is {min(shares):.1%} to {max(shares):.1%} antisymmetric over the noise. "
        f"A small network goes "
        f"from {plain['rows'][0]['rotation']:.0%} to {plain['rows'][-1]['rotation']:.0%} in training, and reaches a "
        f"held-out error of {plain['rows'][-1]['loss']:.3f}; with an energy head it is "
        f"{energy['rows'][-1]['rotation']:.0e} "
        f"antisymmetric, takes {energy['seconds_per_step'] / plain['seconds_per_step']:.1f} times "
        f"as long for a step, and "
        f"reaches {energy['rows'][-1]['loss']:.3f} in as many: displacement stays the default."
    )


def draw(result: dict, figure: Figure) -> None:
    """Rotation against noise; rotation and loss along the training."""
    left, middle, right = figure.subplots(1, 3)
    left.semilogx(TIMES, [row["rotation"] for row in result["shipped"]], "o-")
    left.set(xlabel="t", ylabel="|A| / |J|", title=f"shipped model '{result['model']}'")
    for name, training in result["training"].items():
        rows = training["rows"]
        middle.plot([row["step"] for row in rows], [row["rotation"] for row in rows], "o-", label=name)
        right.plot([row["seconds"] for row in rows], [row["loss"] for row in rows], "o-", label=name)
    middle.set(xlabel="step", ylabel="|A| / |J| at t = 0.2", title="small networks in training")
    right.set(xlabel="seconds", ylabel="held-out velocity error")
    right.legend()

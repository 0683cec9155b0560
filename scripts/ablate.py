"""One change at a time at a small fixed budget: what helps, and what does not.

    python scripts/ablate.py configs/qm9.yaml --seconds 1200 --samples 500 --out data/benchmarks/ablations.json
    python scripts/ablate.py configs/qm9.yaml --steps 500 --init-from runs/qm9/model.safetensors --out ...

A row is a training run of its own process: the configuration with the overrides of a variant, cut off after so many
seconds (networks are compared at equal time) or steps (at equal molecules). It holds the validation losses of the
averaged weights by part and, with ``--samples``, the rates of raw samples of seed 1000. Losses depend on the noise, so
across schedules, scales and fake atoms only the rates compare; and a difference smaller than that between two
``--seeds`` of one variant is none. Each row is written when it is done; the same command goes on where it stopped. A
row that fails is reported and tried again the next time.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from results import percent, read_rows, write_rows

from molscore import pretrained
from molscore.train.record import sha256

VARIANTS: dict[str, list[str]] = {
    "baseline": [],
    "AdamW for all": ["matrix_rate=0"],
    "atom weight 1": ["model.atom_weight=1"],
    "bond weight 1": ["model.bond_weight=1"],
    "atom and bond weight 0.25": ["model.atom_weight=0.25", "model.bond_weight=0.25"],
    "one clock": ["model.position_power=1"],
    "position power 1.5": ["model.position_power=1.5"],
    "position power 3": ["model.position_power=3"],
    "no self-conditioning": ["model.self_conditioning=0"],
    "self-conditioning 0.9": ["model.self_conditioning=0.9"],
    "category scale 0.5": ["model.category_scale=0.5"],
    "category scale 2": ["model.category_scale=2"],
    "fake atoms": ["model.fake_atoms=3"],
    "distortion 0.2": ["model.distortion=0.2"],
    "distortion 0.5": ["model.distortion=0.5"],
    "position scale 1": ["model.position_scale=1"],
    "position scale 2": ["model.position_scale=2"],
    "sigma_min 0.02": ["model.sigma_min=0.02"],
    "few vectors": ["model.network.irreps=136x0e + 8x1o"],
    "no vectors between pairs": ["model.network.vectors=0"],
    "more vectors": ["model.network.irreps=112x0e + 32x1o"],
    "l = 2": ["model.network.irreps=128x0e + 16x1o + 8x2e"],
    "wide and shallow": ["model.network.irreps=192x0e + 24x1o", "model.network.layers=3"],
    "narrow and deep": ["model.network.irreps=96x0e + 16x1o", "model.network.layers=7"],
    "thin pairs": ["model.network.pair_channels=16"],
    "thick pairs": ["model.network.pair_channels=64"],
    "EMA 0.9": ["ema_decay=0.9"],
    "EMA 0.99": ["ema_decay=0.99"],
    "EMA 0.9995": ["ema_decay=0.9995"],
    "small batches": ["pair_budget=12000"],
    "learning rate 3e-3": ["learning_rate=3e-3"],
    "matrix rate 1e-3": ["matrix_rate=1e-3"],
    "matrix rate 1e-2": ["matrix_rate=1e-2"],
}
"""Name -> overrides of the configuration."""

RATES = {"valid_connected": "valid and connected", "molecules_stable_explicit": "molecules stable"}
VALIDATION_SEED = 1000


def main() -> None:
    """Runs the rows that are missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="the baseline's YAML file")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--seconds", type=float, help="of training a row")
    budget.add_argument("--steps", type=int, help="of training a row")
    parser.add_argument("--samples", type=int, default=0, help="raw samples a row; 0 measures losses only")
    parser.add_argument("--sampler-steps", type=int, default=50)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of training; more than one shows the noise")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="changes to every row")
    parser.add_argument("--init-from", metavar="WEIGHTS", help="a bundled model or a file that every row starts from")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()

    limit = f"max_seconds={words.seconds}" if words.seconds else f"steps={words.steps}"
    common = [*words.set, "checkpoint_every=1000000", limit]
    # The path of the data is the affair of one machine.
    settings = [word for word in common if not word.startswith("data=")]
    header = {"config": sha256(words.config), "common": settings, "samples": words.samples}
    header |= {
        "sampler_steps": words.sampler_steps,
        "init_from": words.init_from and sha256(pretrained.find(words.init_from)),
    }
    rows = read_rows(words.out, header)
    for seed in words.seeds:
        for name in words.variants:
            key = {"variant": name, "overrides": VARIANTS[name], "seed": seed}
            if any(row.items() >= key.items() for row in rows):
                continue
            print(f"{name}, seed {seed}", file=sys.stderr)
            overrides = [*common, *VARIANTS[name], f"seed={seed}"]
            arguments = words.config, overrides, words.samples, words.sampler_steps, words.init_from
            try:
                with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                    rows.append(key | process.submit(run, *arguments).result())
            except Exception as error:  # one bad row must not end the others
                print(f"{name}, seed {seed} failed: {error!r}", file=sys.stderr)
                continue
            write_rows(words.out, header, rows)
    print(markdown(rows))


def run(config: Path, overrides: list[str], samples: int, sampler_steps: int, init_from: str | None) -> dict:
    """One row, in this process: trains, validates, samples.

    Returns:
        Seconds, steps and molecules of training, its hardware class, losses by part, rates of raw samples with
        intervals.
    """
    import molscore
    from molscore.generate import GenerationOptions, Judge
    from molscore.train.config import load_config
    from molscore.train.loop import train

    with tempfile.TemporaryDirectory() as folder:
        settings = load_config(config, [*overrides, f"out={folder}/run"])
        weights = train(settings, quiet=True, init_from=init_from)
        generator = molscore.MoleculeGenerator.from_pretrained(str(weights))
    record = generator.model.record
    before = record.get("init_from") or {}
    row = {key: record[key] - before.get(key, 0) for key in ("seconds", "molecules")}
    row |= {"steps": record["step"], "hardware": record["hardware"], "losses": record["valid"]}
    row["parameters"] = sum(parameter.numel() for parameter in generator.model.parameters())
    if samples:
        began = time.perf_counter()
        samples_made = generator.sample(range(samples), VALIDATION_SEED, GenerationOptions(sampler_steps))
        row["samples_per_second"] = round(samples / (time.perf_counter() - began), 2)
        judge = Judge(generator.model, GenerationOptions(raw=True))
        mols = [judge(index, sample).mol for index, sample in enumerate(samples_made)]
        rates = molscore.evaluate(mols, reference=None, posebusters=None, relaxation=False).to_dict()["rates"]
        row["rates"] = {name: rates[name] for name in RATES}
    return row


def markdown(rows: list[dict]) -> str:
    """The rows as a table: losses by part, rates with 95 % Wilson intervals."""
    rates = RATES if any("rates" in row for row in rows) else {}
    heads = ["change", "molecules seen", "positions", "atoms", "bonds", *rates.values()]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        name = row["variant"] + (f", seed {row['seed']}" if row["seed"] else "")
        cells = [name, f"{row['molecules']:,}", *(f"{row['losses'][k]:.4f}" for k in ("positions", "atoms", "bonds"))]
        cells += [percent(row["rates"][key]) for key in rates]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

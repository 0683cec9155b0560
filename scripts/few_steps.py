"""Quality against network evaluations, for every sampler; and the tuning of the sampler.

    python scripts/few_steps.py --model qm9 --n 500 --evaluations 10 20 50 100 250 --samplers dpm em pc ode \
        --out data/benchmarks/few_steps.json --plot data/benchmarks/few_steps.png [--posebusters]
    python scripts/few_steps.py --model druglike --n 500 --evaluations 16 --samplers dpm --distilled --out FILE
    python scripts/few_steps.py --tune --n 200 --evaluations 20 50 --out data/benchmarks/sampler_tuning.json

Every cell is N raw samples, as sampled. Evaluations are counted at the network. The variants of ``--tune`` are judged
on seed 1000, figures that are published on seed 0, so that nothing is tuned on what it is measured on. Each cell is
written when it is done; the same command goes on where it stopped, and starts anew for other weights.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from results import percent, read_rows, write_rows

import molscore
from molscore import pretrained
from molscore.files.output import written
from molscore.generate import GenerationOptions, Judge
from molscore.train.record import sha256

TEST_SEED, VALIDATION_SEED = 0, 1000

VARIANTS: dict[str, dict[str, float]] = {
    "default": {},
    "reverse SDE, even grid": {"eta_x": 1.0, "eta_g": 1.0, "power": 1.0, "middle": 0.0},
    "reverse SDE": {"eta_x": 1.0, "eta_g": 1.0},
    "probability flow": {"eta_x": 0.0, "eta_g": 0.0},
    "noise 2": {"eta_x": 2.0, "eta_g": 2.0},
    "noise 4": {"eta_x": 4.0, "eta_g": 4.0},
    "noise 6": {"eta_x": 6.0, "eta_g": 6.0},
    "noise 1, graph 3": {"eta_x": 1.0},
    "noise 2, graph 4": {"eta_x": 2.0, "eta_g": 4.0},
    "even grid": {"power": 1.0, "middle": 0.0},
    "power 1": {"power": 1.0},
    "power 1.5": {"power": 1.5},
    "power 1.5, middle 0.7": {"power": 1.5, "middle": 0.7},
    "power 1.5, noise 6": {"power": 1.5, "eta_x": 6.0, "eta_g": 6.0},
    "power 2": {"power": 2.0},
    "middle 0": {"middle": 0.0},
    "middle 0.3": {"middle": 0.3},
    "middle 0.7": {"middle": 0.7},
    "ends at 0.01": {"t_end": 0.01},
    "ends at 0.08": {"t_end": 0.08},
}
"""GenerationOptions of `molscore.model.sample_molecules` to compare, beside its defaults."""

RATES = {
    "valid_connected": "valid and connected",
    "molecules_stable_explicit": "molecules stable",
    "posebusters_of_all": "PoseBusters-valid, of all",
    "unique": "unique, of valid",
}
DISTANCES = {
    "bond_wasserstein": "bonds W1, Å",
    "angle_wasserstein": "angles W1, °",
    "dihedral_wasserstein": "dihedrals, °",
}


def main() -> None:
    """Fills the cells that are missing, prints the table, draws the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qm9", help="a bundled model or a .safetensors file")
    parser.add_argument("--n", type=int, default=500, help="raw samples in each cell")
    parser.add_argument("--evaluations", type=int, nargs="+", default=[10, 20, 50, 100, 250], help="at most so many")
    parser.add_argument("--samplers", nargs="+", default=["dpm", "em", "pc", "ode"])
    parser.add_argument("--tune", action="store_true", help="compare the variants of the default sampler instead")
    parser.add_argument("--distilled", action="store_true", help="measure the model that was distilled from this one")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="those to tune over")
    parser.add_argument("--posebusters", action="store_true", help="also run PoseBusters, some 50 ms a molecule")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch-size", type=int, default=None)
    parser.add_argument("--workers", type=int, default=1, help="processes that evaluate")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plot", type=Path)
    words = parser.parse_args()

    torch.set_num_threads(words.threads)
    generator = molscore.MoleculeGenerator.from_pretrained(words.model, words.device)
    seed = VALIDATION_SEED if words.tune else TEST_SEED
    header = {"model": words.model, "sha256": sha256(pretrained.find(words.model)), "n": words.n, "seed": seed}
    header["posebusters"] = words.posebusters
    if words.tune:
        wanted = [("dpm", name, VARIANTS[name], count) for name in words.variants for count in words.evaluations]
    else:
        wanted = [(name, "default", {}, count) for name in words.samplers for count in words.evaluations]
    if words.distilled:
        generator = generator.few_steps or parser.error(f"no model was distilled from {words.model}")
        wanted = [(name, "distilled", {}, count) for name, _, _, count in wanted]
    rows = read_rows(words.out, header)
    for sampler, variant, options, count in wanted:
        key = {"sampler": sampler, "variant": variant, "options": options, "budget": count}
        if any(row.items() >= key.items() for row in rows):
            continue
        print(f"{sampler}, {variant}, {count} evaluations", file=sys.stderr)
        steps = steps_for(sampler, count)
        rows.append(key | measure(generator, words, seed, sampler, steps, options))
        write_rows(words.out, header, rows)
    print(markdown(rows))
    if words.plot:
        plot(rows, words.plot, f"{words.model}, n = {words.n}, raw samples")


def steps_for(sampler: str, evaluations: int) -> int:
    """The most steps that cost no more than so many evaluations: one a step, or two (``pc``, ``ode``); one at last."""
    return (evaluations + 1) // 2 if sampler in ("pc", "ode") else evaluations


def measure(generator, words: argparse.Namespace, seed: int, sampler: str, steps: int, options: dict) -> dict:
    """One cell: rates with intervals, distances to the model's data with their floors, evaluations, time."""
    batch_size, calls = words.batch_size or 32, []
    handle = generator.model.network.register_forward_hook(lambda *_: calls.append(1))
    began = time.perf_counter()
    samples = generator.sample(
        range(words.n), seed, GenerationOptions(steps, sampler, batch_size=batch_size), **options
    )
    seconds = time.perf_counter() - began
    handle.remove()
    judge = Judge(generator.model, GenerationOptions(raw=True))
    mols = [judge(index, sample).mol for index, sample in enumerate(samples)]
    reference = "druglike" if generator.model.implied_hydrogens else "qm9"
    posebusters = "mol_fast" if words.posebusters else None
    metrics = molscore.evaluate(mols, reference, posebusters=posebusters, workers=words.workers).to_dict()
    return {
        "steps": steps,
        "evaluations": len(calls) // -(-words.n // batch_size),
        "molecules_per_second": round(words.n / seconds, 2),
        "rates": {name: metrics["rates"][name] for name in RATES if name in metrics["rates"]},
        "distances": {name: metrics["distances"][name] for name in DISTANCES},
        "relaxation": metrics["relaxation"],
        "unusual": metrics["composition"].get("unusual", {}).get("any"),
    }


def markdown(rows: list[dict]) -> str:
    """The cells as a table, with 95 % Wilson intervals."""
    rates = [name for name in RATES if any(name in row["rates"] for row in rows)]
    heads = ["sampler", "variant", "evaluations", *(RATES[name] for name in rates), *DISTANCES.values()]
    heads += ["relaxation energy, kcal/mol", "unusual"] if any("relaxation" in row for row in rows) else []
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        cells = [row["sampler"], row["variant"], str(row["evaluations"])]
        cells += [percent(row["rates"].get(name)) for name in rates]
        values = [row["distances"][name]["value"] for name in DISTANCES]  # None where nothing was valid
        cells += ["–" if value is None else f"{value:.3g}" for value in values]
        if (energy := row.get("relaxation")) is not None:
            cells.append("{median:.2f} ({low:.2f} to {high:.2f})".format(**energy) if energy["low"] else "–")
            cells.append("–" if row["unusual"] is None else f"{row['unusual']:.1%}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(rows: list[dict], path: Path, title: str) -> None:
    """One panel for each rate; a line for each sampler or variant, with its intervals."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rates = [name for name in RATES if name != "unique" and any(name in row["rates"] for row in rows)]
    figure, axes = pyplot.subplots(1, len(rates), figsize=(4.2 * len(rates), 3.6), squeeze=False, layout="constrained")
    for axis, name in zip(axes[0], rates, strict=True):
        for line in dict.fromkeys((row["sampler"], row["variant"]) for row in rows):
            mine = sorted((r for r in rows if (r["sampler"], r["variant"]) == line), key=lambda r: r["evaluations"])
            x, intervals = [row["evaluations"] for row in mine], [row["rates"][name] for row in mine]
            y = [100 * rate["value"] for rate in intervals]
            spread = [
                [100 * (r["value"] - r["low"]) for r in intervals],
                [100 * (r["high"] - r["value"]) for r in intervals],
            ]
            label = line[0] if line[1] == "default" else f"{line[0]}, {line[1]}"
            axis.errorbar(x, y, spread, marker="o", markersize=4, capsize=2, label=label)
        axis.set(xscale="log", xlabel="network evaluations", ylabel=f"{RATES[name]}, %", ylim=(0, 100))
        ticks = sorted({row["budget"] for row in rows})
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0, 0].legend(fontsize="small")
    figure.suptitle(title, fontsize="medium")
    with written(path) as file:
        figure.savefig(file, dpi=150, format="png")
    pyplot.close(figure)


if __name__ == "__main__":
    main()

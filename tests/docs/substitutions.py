"""How the commands of the documentation are made small for the tests: the one table of it."""

import re

TRAINING = (
    "steps=2 pair_budget=4000 warmup_steps=1 decay_steps=1 valid_batches=1 checkpoint_every=1 compile=false threads=1"
)

ELSEWHERE = {
    r"pip install": "installs: .ci/run does, from a new environment; the extras are looked up here",
    r"pytest$": "this is it",
    r"(ruff|lint-imports|mypy|pre-commit)\b": ".ci/run checks what they check",
    r".*--device cuda": "tests/generate and tests/model, where there is a GPU",
    r"ray (start|stop)": "tests/test_cluster.py starts a cluster",
    r"python scripts/pocket.py": "tests/scripts/test_pocket_script.py; it needs Vina, and minutes for each pocket",
    r"(PYTHONPATH=scripts )?python (-m judge\.qm9_judge|scripts/qm9_)": "tests/scripts/test_qm9_targets_script.py; "
    "they need QM9, and half an hour",
    r"python scripts/repose.py": "tests/scripts/test_repose_script.py; it needs Vina, and a minute for each pocket",
    r"python scripts/recall_plot.py": "tests/scripts/test_recall_plot.py; it draws what was timed",
    r"python scripts/composed.py": "tests/scripts/test_composed.py; it needs minutes for all pockets",
    r"python scripts/pocket_pictures.py": "tests/scripts/test_pocket_pictures.py; it makes dozens of molecules",
    r"python scripts/conditioned_scores.py": "tests/scripts/test_conditioned_scores.py; it makes hundreds of molecules",
    r"molscore conformers .*--ray localhost": "tests/test_cluster.py, with the address of its cluster",
}
"""Commands that are not run here, and where what they do is tested."""

COMMANDS = [
    (r"^(python scripts/ablate.py .*) --variants baseline(?: \"[^\"]+\")+", r"\1"),
    (r"^(python scripts/ablate.py .*)compile=true", r"\1compile=false"),
    (r"^(python scripts/ablate.py .*)pair_budget=12000", r"\1pair_budget=4000"),
    (r"^(molscore generate .*)--n \d+(.*--shard-size) \d+", r"\1--n 4\2 2 --model qm9 --steps 20"),
    (r"^(molscore generate .*many.sdf)", r"\1 --model qm9 --steps 20"),
    (r"^(molscore generate .*--ray auto)", r"\1 --workers 1 --model qm9 --steps 20"),
    (r"^(molscore generate .*)--n (100|110|1000|10000|5000|20|5)\b", r"\1--n 2"),
    (r"^(molscore generate .*--pocket .*)", r"\1 --model qm9 --steps 20"),
    (r"^(molscore generate .*--(?:scaffold|replace|link|near|like) (?!.*--steps).*)", r"\1 --steps 20"),
    (r"^(molscore generate .*)--n 6000\b", r"\1--n 3"),
    (r"^(molscore conformers .*)--n (20|10|5)\b", r"\1--n 2"),
    (r"^(molscore rank .*)--conformers \d+", r"\1--conformers 2"),
    (r"^(molscore (?:generate|conformers|rank|score|evaluate|report)(?!.*--workers) .*)", r"\1 --workers 1"),
    (r"--xtb 100\b", "--xtb 1"),
    (r"^(molscore data qm9 .*)", r"\1 --limit 40"),
    (r"--rare \d+", "--rare 1"),
    (r"^((?:molscore train|accelerate launch).*) steps=\d+ decay_steps=\d+ warmup_steps=\d+", r"\1"),
    (r"^(molscore train .*) steps=30000", rf"\1 {TRAINING.replace('steps=2', 'steps=3', 1)}"),
    (r"^((?:molscore train|accelerate launch)(?!.*pair_budget=).*)", rf"\1 {TRAINING}"),
    (r"^accelerate launch (.*)", r"accelerate launch --cpu --num_processes 1 \1 out=runs/several"),
    (r"^(molscore train .*)", r"\1 --workers 1"),
    (r"^(python scripts/benchmark.py .*)--n \d+", r"\1--n 4 --steps 20"),
    (r" --ship\b", ""),  # it would put the figures of a few samples beside the bundled weights
    (r"--delivered \d+", "--delivered 2"),
    (r"^(python scripts/contact_sheet.py) --n \d+", r"\1 --n 2"),
    (
        r"^(python scripts/bench_conformers.py .*)--timed \d+",
        r"\1--n-molecules 2 --fifty 1 --counts 1 2 --cores 1 --strain 2",
    ),
    (
        r"^(python scripts/bench_conformers.py .*)--settings steps=2",
        r"\1--settings steps=2 --n-molecules 2 --fifty 1 --counts 1 2 --cores 1 --strain 2",
    ),
    (r"^(python scripts/bench_conformers.py .*)--counts 10", r"\1--n-molecules 2 --counts 2 --cores 1 --strain 2"),
    (r" conforge\b", ""),  # a package that only these comparisons need
    (r"^(python scripts/torsions.py .*)", r"\1 --each 1 --others 1 --n 2 --least 1"),
    (r"^(python scripts/usefulness.py .*)--n 100", r"\1--n 2 --samples 12 --split valid"),
    (r"^(python scripts/bench.py) --compile", r"\1 --molecules 2 --steps 1 --repeats 1"),
    (
        r"^(python scripts/train_processes.py .*)--budgets [\d ]+--repeats \d+ --steps \d+ --skip \d+(.*) compile=.*",
        r"\1--budgets 4000 --repeats 1 --steps 4 --skip 2\2 data=data/ccd.safetensors",
    ),
    (
        r"^python scripts/compare_speed.py .*--out",
        "python scripts/compare_speed.py HEAD HEAD --cases help --repeats 1 --out",
    ),
    (
        r"^(python scripts/ablate.py .*)--steps \d+( --samples) \d+",
        r"\1--steps 2\2 2 --sampler-steps 2 --variants baseline",
    ),
    (r"^(python scripts/ablate.py .*)--seconds \d+", r"\1--steps 2 --variants baseline"),
    (
        r"^(python scripts/completion.py (?:linkers|scaffolds) \S+)(?: --samples \d+| --cases \d+)*",
        r"\1 --samples 2 --cases 1 --steps 10 --workers 1",
    ),
    (
        r"^(python scripts/completion_baselines.py \w+ .*)--cases \d+ --seconds \d+",
        r"\1--cases 1 --seconds 1 --steps 10",
    ),
    (r"^(python scripts/shape.py .*)", r"\1 --samples 4 --targets 1 --steps 20"),
    (r"^(python scripts/completion_speed.py .*)--n \d+ --repeats \d+", r"\1--n 1 --repeats 1 --steps 50"),
    (
        r"^(python scripts/targets.py) --attempts \d+ --unguided \d+",
        r"\1 --attempts 2 --unguided 2 --steps 20 --targets logp=2.5 --out data/benchmarks/few_targets.json",
    ),
    (r"^(python scripts/completion_sheet.py .*)", r"\1 --each 1 --steps 50 --pairs 0"),
    (r"^(python scripts/hard_molecules.py .*)", r"\1 --n 2"),
    (r"^(python scripts/ray_workers.py) --n \d+", r"\1 --n 2 --model qm9 --steps 20 --clusters own"),
]
"""Patterns and what takes their place, one after the other."""

PROGRAMS = [
    (r"generate\((?:100|20)\b", "generate(2"),
    (r"n=20", "n=2"),
    (r"generate\(5, ", "generate(2, steps=20, "),
    (r'ray="auto"', 'ray="auto", workers=1'),
]
"""The same for blocks of Python."""


def elsewhere(command: str) -> str | None:
    """Where a command that is not run here is tested."""
    return next((where for pattern, where in ELSEWHERE.items() if re.match(pattern, command)), None)


def small(text: str, table: list[tuple[str, str]]) -> str:
    """A command or a program as it is run here."""
    for pattern, replacement in table:
        text = re.sub(pattern, replacement, text)
    return text

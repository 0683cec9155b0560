"""README and documentation tell the truth: the test command is CI's, figures are measured, the README is short."""

import json
import re
import runpy
from pathlib import Path

import pytest

import molscore
from molscore import pretrained
from molscore.train.record import sha256

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CLUSTER = (ROOT / "data" / "docs" / "pages" / "cluster.md").read_text()
MEASUREMENTS = (ROOT / "data" / "benchmarks" / "README.md").read_text()
QUALITY = {path.stem: path.read_text() for path in sorted((ROOT / "data" / "docs" / "pages" / "quality").glob("*.md"))}
FENCE = r"```bash\n(.*?)```"
BLOCKS = re.findall(FENCE, README, flags=re.DOTALL)


def test_the_readme_opens_with_the_two_commands():
    assert BLOCKS[0].strip() == "pip install . && molscore generate --n 100 --out mols.sdf"
    assert BLOCKS[1].strip() == "pip install '.[test,qm9]' && pytest"


def test_ci_runs_the_readme_test_command():
    assert BLOCKS[1].strip() in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_readme_is_one_screen_and_a_half():
    assert len(README.splitlines()) <= 75


def test_figures_of_the_readme_are_those_of_the_pages():
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", README, flags=re.MULTILINE)
    figures = [figure for _, cell, _ in rows for figure in re.split(r"; ", cell)]
    assert len(figures) > 6
    for figure in figures:
        number = figure.removesuffix(" Å")
        assert any(number in text for text in QUALITY.values()), figure


@pytest.mark.parametrize("model", pretrained.names())
def test_figures_are_those_of_the_benchmark_file(model, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    table = script("usefulness" if model == "conformers" else "benchmark")["markdown"](results(model))
    assert len(table.splitlines()) > 10
    assert table in QUALITY["scores" if model == "conformers" else model]


def script(name: str) -> dict:
    """What a script defines."""
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))


def results(name: str) -> dict:
    return json.loads((ROOT / "data" / "benchmarks" / f"{name}.json").read_text())


def test_tables_are_those_of_the_result_files(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    steps = [row for row in results("few_steps")["rows"] if row["sampler"] == "dpm"]
    assert len(steps) == 5
    tables = [
        script("decoding")["markdown"](results("decoding")),
        script("few_steps")["markdown"](steps),
        script("ablate")["markdown"](results("ablations")["rows"]),
        script("ablate")["markdown"](results("finishing")["rows"]),
        script("ablate")["markdown"](results("shapes")["rows"]),
        script("bench")["markdown"](results("speed")),
        script("train_processes")["markdown"](results("speed_of_training")["rows"]),
        script("ray_workers")["markdown"](results("ray_workers")["rows"]),
        script("overfit")["markdown"](results("overfit")),
        script("bench_conformers")["markdown"](results("conformer_ensembles")["rows"]),
        script("conformer_starts")["markdown"](results("conformer_starts")["rows"]),
        script("completion_arms")["markdown"](results("completion_arms")["rows"]),
    ]
    for table in tables:
        assert len(table.splitlines()) > 3
        assert table in "\n".join([*QUALITY.values(), CLUSTER, MEASUREMENTS])
    tasks = script("train_processes")["markdown"](results("speed_of_multitask_training")["rows"])
    assert "64,000" in tasks and tasks in QUALITY["speed"]


def test_tables_of_completion_are_those_of_their_files(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    made, other = script("completion")["markdown"], script("completion_baselines")["markdown"]
    pairs = {name.upper(): results(f"linkers_{name}")["summary"]["all"] for name in ("zinc", "casf")}
    grown = results("scaffolds")["summary"]
    for table in (
        made(pairs),
        made({kind: grown[kind] for kind in ("posed", "free")}),
        script("completion_speed")["markdown"](results("completion_speed")["rows"]),
        *(other(results(f"{job}_baselines")["summary"]) for job in ("linkers", "scaffolds")),
    ):
        assert len(table.splitlines()) > 4 and table in QUALITY["completion"]
    weights = {results(name)["header"]["weights"] for name in ("linkers_zinc", "linkers_casf", "scaffolds")}
    assert weights == {molscore.MoleculeGenerator.from_pretrained("druglike").weights}


def test_tables_of_shapes_are_those_of_their_files(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    for name in ("shapes_gdb", "shapes_natural"):
        measured = results(name)
        assert script("shape")["markdown"](measured["summary"]) in QUALITY["shapes"]
        assert script("shape")["summary"](measured["rows"]) == measured["summary"]
        assert measured["header"]["weights"] == molscore.MoleculeGenerator.from_pretrained("druglike").weights


def test_the_table_of_pockets_is_that_of_its_file(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    measured, pocket = results("pockets"), script("pocket_table")
    assert measured["summary"] == json.loads(json.dumps(pocket["summary"](measured["rows"])))
    assert pocket["markdown"](measured["summary"], measured["header"]["tries"]) in QUALITY["pockets"]
    assert measured["header"]["weights"] == molscore.MoleculeGenerator.from_pretrained("druglike").weights
    assert f"In {measured['summary']['pockets']} pockets" in QUALITY["pockets"]


def test_figures_of_twenty_in_each_pocket(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    measured = results("pockets_twenty")
    summary = json.loads(json.dumps(script("pocket_table")["summary"](measured["rows"])))
    assert measured["summary"] == summary and measured["header"]["samples"] == 20
    figures = [f"each in {summary['pockets']} of these pockets", f"falls by {summary['relaxation']:.1f} kcal/mol"]
    for name in ("delivered_of_attempts", "without_clash", "busters"):
        figures.append("{value:.1%} ({low:.1%} to {high:.1%})".format(**summary[name]).replace("%", " %"))
    assert all(figure in QUALITY["pockets"] for figure in figures)


def test_the_table_of_poses_is_that_of_its_file(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    measured, repose = results("repose"), script("repose")
    assert measured["summary"] == json.loads(json.dumps(repose["summary"](measured["rows"])))
    assert repose["markdown"](measured["summary"]) in QUALITY["pockets"]
    assert f"In {measured['summary']['pockets']} pockets, 10 poses each" in QUALITY["pockets"]
    assert measured["header"]["weights"] == molscore.ConformerGenerator.from_pretrained().weights


def test_scores_of_guided_samples_are_those_of_their_file(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    scores, conditioned = results("conditioned_scores"), script("conditioned_scores")
    assert conditioned["compared"](scores["samples"]) == scores["rows"]
    assert conditioned["markdown"](scores["rows"]) in QUALITY["shapes"]


def test_memory_does_not_grow_with_the_records():
    memory, measured = script("peak_memory"), results("peak_memory")
    assert memory["markdown"](measured["rows"]) in (ROOT / "data/docs/pages/tutorials/screening.md").read_text()
    assert [row["case"] for row in measured["rows"]] == list(memory["CASES"])
    assert all(row["ratio"] <= memory["FLOOR"] for row in measured["rows"])
    assert all(row["ratio"] == round(row["peak_mib"][1] / row["peak_mib"][0], 3) for row in measured["rows"])


def test_ensembles_are_those_of_the_bundled_weights():
    rows = [row for row in results("conformer_ensembles")["rows"] if row["method"] == "score"]
    digests = {row["weights"] for row in rows} | {results("conformer_starts")["header"]["weights"]}
    assert len(rows) == 3 and digests == {sha256(pretrained.find("conformers"))}


BEFORE = "807702603c9d9e78d4a0a23d3f485ed1489015931b619c71bbd8ea4fb6b9c57c"
"""The file of `qm9` when it was sampled in 50 steps, with less noise; the weights are the same."""


@pytest.mark.parametrize("name", ["few_steps", "decoding", "sampler_tuning"])
def test_results_are_those_of_the_bundled_weights(name):
    record = results(name)
    assert record.get("header", record)["sha256"] in (sha256(pretrained.find("qm9")), BEFORE)
    assert "three times the reverse SDE's noise" in MEASUREMENTS


def test_figures_of_few_steps():
    metrics = results("druglike_forty_steps")["raw"]["metrics"]
    rates, distances = metrics["rates"], metrics["distances"]
    row = "| {} | {value:.1%} ({low:.1%} to {high:.1%}) |"
    for words, name in (
        ("valid and connected", "valid_connected"),
        ("PoseBusters-valid (`mol_fast`), of all", "posebusters_of_all"),
    ):
        assert row.format(words, **rates[name]).replace("%", " %") in QUALITY["druglike"]
    assert f"| dihedrals, W1, ° | {distances['dihedral_wasserstein']['value']:.2f} |" in QUALITY["druglike"]
    assert f"| Fréchet ChemNet distance | {metrics['fcd']['value']:.2f} |" in QUALITY["druglike"]
    unusual = metrics["composition"]["unusual"]["any"]
    assert f"| with an unusual pattern | {unusual:.1%} |".replace("%", " %") in QUALITY["druglike"]


def test_figures_of_ten_thousand_samples():
    figures = results("ten_thousand")
    unique, rediscovered = figures["rates"]["unique"], figures["rediscovery"]
    shares = (rediscovered[k] / rediscovered[f"{k}_size"] for k in ("training", "heldout"))
    for figure in (
        f"Of 10,000 raw samples {unique['total']:,} are valid",
        "{value:.1%} ({low:.1%} to {high:.1%}) are different".format(**unique).replace("%", " %"),
        f"{figures['fcd']['value']:.2f} (floor {figures['fcd']['floor']:.2f})",
        "hold {:.1%} of the training molecules and {:.1%} of those".format(*shares).replace("%", " %"),
    ):
        assert figure in " ".join(MEASUREMENTS.split()), figure


def test_figures_of_relaxation_with_xtb():
    figures, text = results("druglike_xtb"), " ".join(QUALITY["druglike"].split())
    for name, words in (
        ("xtb_relaxation", "gain {} kcal/mol in the median ({} to {})"),
        ("reference_xtb_relaxation", "data {} ({} to {})"),
    ):
        entry = figures[name]
        assert entry["n"] == 100
        assert words.format(*(f"{entry[key]:.1f}" for key in ("median", "low", "high"))) in text


@pytest.mark.parametrize("model", pretrained.names())
def test_the_bundled_figures_are_the_published_ones(model):
    shipped = json.loads((ROOT / "molscore" / "weights" / f"{model}.json").read_text())
    assert shipped == json.loads((ROOT / "data" / "benchmarks" / f"{model}.json").read_text())
    assert shipped["training"] == pretrained.about(model)["record"]


def test_the_theory_is_made_from_its_files(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    folder = ROOT / "data" / "theory"
    module = script("theory")
    assert module["page"](folder) == (folder / "README.md").read_text()
    assert {path.stem for path in folder.glob("*.json")} == set(module["STUDIES"])


@pytest.mark.parametrize("folder", ["data/theory", "data/benchmarks"])
def test_pictures_are_there(folder):
    text = (ROOT / folder / "README.md").read_text()
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        assert (ROOT / folder / path).read_bytes().startswith(b"\x89PNG"), path

"""Spoilt files through every reader in this process, some with the real network behind."""

import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
from mutation.mutations import kind_of, write_case
from rdkit import RDLogger

from molscore import pretrained
from molscore.chem.arrays import MoleculeError
from molscore.chem.checks.validity import check
from molscore.chem.embedding.etkdg import embed
from molscore.chem.fit import fit
from molscore.chem.io.formats import record_writer
from molscore.chem.io.inputs import read_inputs
from molscore.chem.io.lines import ERRORS
from molscore.chem.io.protein import read_protein
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import tagged
from molscore.chem.prepare import whole
from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.conformers.files import conformers_sdf
from molscore.datasets.batch import MoleculeStore, vocabulary_of
from molscore.datasets.sources import read_smiles
from molscore.datasets.tensorfile import read_tensorfile
from molscore.evaluate import evaluate
from molscore.evaluate.molecules.records import judge, read_records
from molscore.model.files import load
from molscore.score import MoleculeScorer
from molscore.score.files import score_sdf
from molscore.train.config import load_config

LIMIT, WALL = 15.0, 60
"""Seconds that a case may take: of CPU time, and in all."""


class TooSlow(BaseException):
    """The time is over."""


def _too_slow(*_: object) -> None:
    raise TooSlow


class Watch:
    """Notes every file of this process that is written outside the folder of the outputs."""

    _events = {"os.rename": 2, "os.remove": 1, "os.mkdir": 1, "os.rmdir": 1, "os.truncate": 1, "os.link": 2}
    _events |= {"os.symlink": 2, "shutil.rmtree": 1, "os.chmod": 1}

    def __init__(self) -> None:
        self.outputs: Path | None = None
        self.outside: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if self.outputs is None:
            return
        paths = arguments[: self._events.get(event, 0)]
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            path, mode, flags = arguments
            writes = any(c in mode for c in "wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            paths = (path,) if writes else ()
        for path in paths:
            name = os.path.abspath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else ""
            if name and not name.startswith((f"{self.outputs}{os.sep}", "/dev/")) and name != str(self.outputs):
                self.outside.append(f"{event} {name}")


def readers(outputs: Path) -> dict[str, list[Callable[[Path], object]]]:
    """What is done with a file, by its name's last ending that is not .gz. Each job reads the whole of it."""
    ligand = embed("CC(=O)NC")

    def copied(path: Path) -> None:
        with record_writer(outputs / "copy.sdf") as writer:
            for record in read_sdf(path):
                writer.add(tagged(record.text, {"tag": 1}).encode("utf-8", ERRORS))
        list(read_sdf(outputs / "copy.sdf"))

    def judged(path: Path) -> None:
        for record in read_records(path):
            judge(record)
            if record.mol is not None:
                check(record.mol)

    def prepared(path: Path) -> None:
        for entry in read_inputs(str(path)):
            if entry.mol is not None:
                whole(entry.mol)

    def fitted(path: Path) -> None:
        try:
            fit(ligand, read_protein(path))
        except MoleculeError as error:
            if error.reason not in ("no_3d", "empty"):
                raise

    def evaluated(path: Path) -> None:
        evaluate(path, None, posebusters=None, relaxation=False).format_text()

    def batched(path: Path) -> None:
        file = read_tensorfile(path)
        for k in range(len(file)):
            file.molecule(k)
        MoleculeStore(file, "train", vocabulary_of(file))

    return {
        ".sdf": [copied, judged, prepared, evaluated],
        ".mol": [copied, judged, prepared, evaluated],
        ".smi": [prepared, lambda path: list(read_smiles(path))],
        ".csv": [prepared, lambda path: list(read_smiles(path))],
        ".pdb": [fitted],
        ".cif": [fitted],
        ".yaml": [load_config],
        "set.safetensors": [batched],
        "model.safetensors": [load, lambda path: pretrained.about(str(path))],
    }


def network_jobs(outputs: Path) -> dict[str, list[Callable[[Path], object]]]:
    """The same with the real network: likelihoods and conformers. Each job tells whether the network had its say."""
    scorer, generator = MoleculeScorer.from_pretrained(device="cpu"), ConformerGenerator.from_pretrained(device="cpu")
    options = ConformerOptions(steps=2, oversampling=1)

    def scored(path: Path) -> bool:
        return bool(score_sdf(scorer, path, outputs / "scored.sdf").scores)

    def conformed(path: Path) -> bool:
        outcome = conformers_sdf(
            generator, str(path), outputs / "made.sdf", 1, 0, options, problems=outputs / "problems.csv"
        )
        return outcome.conformers["score"] > 0

    def in_protein(path: Path) -> bool:
        return bool(
            score_sdf(scorer, path.with_name("sound.sdf"), outputs / "fits.sdf", protein=read_protein(path)).scores
        )

    return {".sdf": [scored, conformed], ".mol": [scored, conformed], ".smi": [conformed], ".csv": [conformed]} | {
        ".pdb": [in_protein],
        ".cif": [in_protein],
    }


def run_case(
    jobs: list[Callable[[Path], object]], path: Path, content: bytes, watch: Watch, outputs: Path
) -> list[dict]:
    """What came of each job: how long it took, what it raised, and whether that is a fault."""
    rows = []
    signal.signal(signal.SIGALRM, _too_slow)
    for job in jobs:
        watch.outputs, watch.outside = outputs, []
        row = {
            "job": getattr(job, "__qualname__", "").split(".")[-1],
            "error": None,
            "fault": None,
            "slow": False,
            "network": False,
        }
        start = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, WALL)
        try:
            row["network"] = job(path) is True
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {str(error)[:200]}"
            if not documented(error):
                row["fault"] = "".join(traceback.format_exception(error)[-4:])
        except TooSlow:
            row["slow"] = True
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            watch.outputs = None
        row["seconds"] = time.process_time() - start
        row["slow"] |= row["seconds"] > LIMIT
        if path.read_bytes() != content:
            row["fault"] = "the input was changed"
        row["outside"] = watch.outside
        rows.append(row)
    for leftover in outputs.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    return rows


def documented(error: Exception) -> bool:
    """Whether an error is of a kind that callers are told to expect, and raised by this program, not by a library."""
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    ours = f"{os.sep}molscore{os.sep}" in last.tb_frame.f_code.co_filename
    known = type(error) is ValueError or isinstance(error, OSError) or type(error).__module__.startswith("molscore.")
    return ours and known


def in_process(
    count: int, network: int, seed: int, folder: Path, data: dict[str, bytes], only: list[int]
) -> list[dict]:
    """Runs cases in this process; until the real network has worked in so many of them, it stands behind each."""
    torch.set_num_threads(1)
    RDLogger.DisableLog("rdApp.*")
    inputs, outputs = folder / "inputs", folder / "outputs"
    plain, real = readers(outputs), network_jobs(outputs) if network else {}
    names, rows, behind = list(data), [], 0
    watch = Watch()
    for number in only or range(count):
        path, content = write_case(inputs, data, names, number, seed)
        kind, jobs = kind_of(path.name), plain
        if behind < network and kind in real:
            jobs = real
        results = run_case(jobs[kind], path, content, watch, outputs)
        behind += any(row["network"] for row in results)
        rows += [{"case": number, "name": path.name} | row for row in results]
        if path.name != "sound.sdf":
            path.unlink()
        if sys.stderr.isatty() and number % 100 == 0:
            print(f"\r{number} of {count}", end="", file=sys.stderr)
    return rows

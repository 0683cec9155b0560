"""A cluster of Ray of two nodes: one of them is lost during a run, or has another installation."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

import molscore
from molscore import workers
from molscore.cli import app
from molscore.conformers import ConformerGenerator
from molscore.conformers.files import conformers_sdf
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.files import generate_sdf
from molscore.versions import VERSION

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.fixture
def nodes(monkeypatch):
    """A cluster whose first node, the driver's, is there."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_AUTH_MODE", os.environ.get("RAY_AUTH_MODE", "disabled"))  # the same for it and the driver
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def actors() -> set[psutil.Process]:
    """Processes of actors of the clusters that this process has started."""
    return {child for child in psutil.Process().children(recursive=True) if _is_actor(child)}


def _is_actor(process: psutil.Process) -> bool:
    try:
        return any("ray::_Served" in word for word in process.cmdline())
    except psutil.Error:
        return False


def write_molecules(path: Path, on_progress=None, **where) -> None:
    generator = MoleculeGenerator.from_pretrained("qm9", "cpu")
    generate_sdf(generator, 40, path, 3, GenerationOptions(steps=20), on_attempt=on_progress, **where)


def write_conformers(path: Path, on_progress=None, **where) -> None:
    source = path.with_suffix(".smi")
    source.write_text("".join(f"{'C' * k}O chain_{k}\n" for k in range(3, 23)) + "garbage\n")
    generator = ConformerGenerator.from_pretrained(device="cpu")
    conformers_sdf(generator, str(source), path, 2, on_progress=on_progress, **where)


@pytest.mark.parametrize("write", [write_molecules, write_conformers])
def test_files_are_the_same_though_a_node_is_lost(tmp_path, nodes, write):
    node = nodes.add_node(num_cpus=1)
    lost = []

    def lose(*progress):
        """Removes the node, once an actor is at work there."""
        if lost:
            return
        end = time.monotonic() + 120
        while len(before := actors()) < 2:
            assert time.monotonic() < end
            time.sleep(0.1)
        nodes.remove_node(node, allow_graceful=False)
        while not (gone := {actor for actor in before if not actor.is_running()}):
            assert time.monotonic() < end
            time.sleep(0.1)
        lost.extend(gone)

    write(tmp_path / "here.sdf")
    write(tmp_path / "there.sdf", on_progress=lose, workers=workers.connect(nodes.address))
    assert len(lost) == 1
    assert (tmp_path / "here.sdf").read_bytes() == (tmp_path / "there.sdf").read_bytes()


def test_a_node_with_another_version_or_other_weights_is_refused(tmp_path, nodes, monkeypatch):
    package = tmp_path / "molscore"
    shutil.copytree(Path(molscore.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "versions.py").write_text((package / "versions.py").read_text().replace(VERSION, "0.0.7"))
    with (package / "weights" / "qm9.safetensors").open("ab") as file:
        file.write(b"\0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    nodes.add_node(num_cpus=2)
    words = ["generate", "--n", "100", "--model", "qm9", "--steps", "5", "--ray", nodes.address, "--out", "out.sdf"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1 and not Path("out.sdf").exists()
    assert f"molscore 0.0.7 (here {VERSION})" in done.stderr and "weights/qm9.safetensors" in done.stderr
    assert "druglike" not in done.stderr


def test_a_cluster_that_ray_start_has_started_is_found_and_reached(tmp_path):
    """By ``auto`` and by its address; in a folder of its own, whose name Ray wants short."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = os.environ | {"RAY_TMPDIR": folder}
        words = ["start", "--head", "--block", "--port", str(port), "--num-cpus", "1", "--disable-usage-stats"]
        command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", *words]
        head = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 120
            while not Path(folder, "ray", "ray_current_cluster").exists():
                assert time.monotonic() < end and head.poll() is None
                time.sleep(0.1)
            for address in ("auto", f"localhost:{port}"):
                words = ["conformers", "CCO", "--n", "1", "--out", str(tmp_path / "out.sdf"), "--overwrite"]
                words += ["--ray", address]
                done = subprocess.run(
                    [sys.executable, "-m", "molscore", *words], env=environment, stderr=subprocess.PIPE
                )
                assert done.returncode == 0, done.stderr
            assert head.poll() is None
        finally:
            head.terminate()
            head.wait(60)

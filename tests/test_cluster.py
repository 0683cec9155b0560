"""Workers on a real cluster of Ray: the results of one process, actors that die, errors, and an end."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import tasks
from tasks import embedding, fragile, refusing, squares, threads
from typer.testing import CliRunner

from molscore import workers
from molscore.cli import app
from molscore.conformers import ConformerGenerator
from molscore.conformers.files import conformers_sdf
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.files import generate_sdf
from molscore.workers import WorkerError, Workers, check_cluster

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster():
    """Two workers on this machine, which find the functions of `tasks`."""
    ray.cloudpickle.register_pickle_by_value(tasks)
    yield workers.connect("auto", 2)
    ray.shutdown()


def test_results_come_in_the_order_of_the_tasks(cluster):
    before = signal.getsignal(signal.SIGTERM)
    assert workers.connect("auto", 2) == cluster and signal.getsignal(signal.SIGTERM) is before
    with Workers(squares, cluster) as pool:
        assert list(pool.map(range(12))) == [(x, x * x) for x in range(12)]


@pytest.mark.slow
def test_each_has_one_thread_and_is_no_process_of_ours(cluster):
    with Workers(threads, cluster) as pool:
        processes = list(pool.map(range(6)))
    assert os.getpid() not in {pid for pid, *_ in processes}
    assert {(own, setting) for _, own, setting in processes} == {(1, "1")}
    with Workers(threads, workers.connect("auto", 1)) as pool:  # a single one, and a single task, too
        assert os.getpid() != next(pool.map([0]))[0]


@pytest.mark.parametrize("lives", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_task_whose_actor_was_killed_is_done_again(tmp_path, cluster, lives):
    with Workers(partial(fragile, tmp_path, lives), cluster) as pool:
        assert list(pool.map(range(5))) == [0, 10, 20, 30, 40]
    assert len(list(tmp_path.iterdir())) == lives


@pytest.mark.slow
def test_a_task_that_kills_every_actor_is_given_up(tmp_path, cluster):
    with Workers(partial(fragile, tmp_path, 99), cluster) as pool, pytest.raises(WorkerError, match="the same task"):
        list(pool.map(range(5)))


def test_errors_and_molecules_arrive_as_they_are(cluster):
    with Workers(refusing, cluster) as pool, pytest.raises(KeyError, match="why") as caught:
        list(pool.map(["why", "not"]))
    assert "_refuse" in str(caught.value.__cause__)
    here = embedding()("CCO")
    with Workers(embedding, cluster) as pool:
        there = list(pool.map(["CCO", "CCO"]))[0]
    assert there.GetDoubleProp("energy") == 0.125 and there.GetConformer().GetProp("method") == "etkdg"
    assert (there.GetConformer().GetPositions() == here.GetConformer().GetPositions()).all()


@pytest.mark.slow
def test_actors_end_with_the_block(cluster):
    with Workers(threads, cluster) as pool:
        assert len(pids := {pid for pid, *_ in pool.map(range(4))}) == 2
    end = time.monotonic() + 60
    while any(Path("/proc", str(pid)).exists() for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.1)


def kill_one() -> None:
    """Kills the process of an actor that this process started, as soon as there is one."""
    end = time.monotonic() + 60
    while not (actors := [pid for pid in children(os.getpid()) if b"ray::_Served" in cmdline(pid)]):
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(actors[0], signal.SIGKILL)


def children(pid: int) -> list[int]:
    """The processes that descend from one."""
    own = [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    return own + [other for child in own for other in children(child)]


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are not listed here")
def test_generated_files_are_the_same_though_an_actor_is_killed(tmp_path, cluster):
    generator = MoleculeGenerator.from_pretrained("qm9", "cpu")
    options, killed = GenerationOptions(steps=20), []

    def kill_once(attempt, delivered):
        if not killed:
            killed.append(kill_one())

    generate_sdf(generator, 24, tmp_path / "here.sdf", 3, options)
    generate_sdf(generator, 24, tmp_path / "there.sdf", 3, options, workers=cluster, on_attempt=kill_once)
    assert killed and (tmp_path / "here.sdf").read_bytes() == (tmp_path / "there.sdf").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are not listed here")
def test_conformers_are_the_same_though_an_actor_is_killed(tmp_path, cluster):
    generator, source = ConformerGenerator.from_pretrained(device="cpu"), tmp_path / "in.smi"
    source.write_text("".join(f"{'C' * k}O chain_{k}\n" for k in range(3, 15)) + "garbage\n")
    killed = []

    def kill_once(done):
        if not killed:
            killed.append(kill_one())

    conformers_sdf(generator, str(source), tmp_path / "here.sdf", 3)
    conformers_sdf(generator, str(source), tmp_path / "there.sdf", 3, workers=cluster, on_progress=kill_once)
    assert killed and (tmp_path / "here.sdf").read_bytes() == (tmp_path / "there.sdf").read_bytes()


@pytest.mark.slow
def test_python_methods_take_a_cluster(cluster):
    generator = MoleculeGenerator.from_pretrained("qm9", "cpu")
    here, there = (generator.generate(3, 1, steps=20, **where) for where in ({}, {"ray": "auto", "workers": 2}))
    assert [mol.GetProp("SMILES") for mol in here.mols] == [mol.GetProp("SMILES") for mol in there.mols]
    conformers = ConformerGenerator.from_pretrained(device="cpu")
    here, there = (conformers.generate(["CCO", None], 2, **where) for where in ({}, {"ray": "auto"}))
    assert len(here.mols) == 2 and here.mols[1] is there.mols[1] is None
    one, other = (made.mols[0].GetConformer().GetPositions() for made in (here, there))
    assert (one == other).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ray", "nonsense"], "HOST:PORT"),
        (["--ray", "127.0.0.1:9"], "no Ray cluster answers"),
        (["--ray", "x:0"], "HOST:PORT"),
        (["--ray", "{silent}"], "no Ray cluster answers"),
        (["--ray", "ray://{silent}"], "no Ray cluster answers"),
        (["--ray", "{other}"], "is no Ray"),
    ],
)
@pytest.mark.parametrize("command", [["generate", "--n", "3", "--model", "qm9"], ["conformers", "CCO"]])
def test_a_cluster_that_is_none_is_misuse(tmp_path, command, words, message, monkeypatch):
    monkeypatch.setattr("molscore.workers.cluster.PATIENCE", 0.5)
    with server(b"") as silent, server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as other:
        words = [word.format(silent=silent, other=other) for word in words]
        done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out.sdf"), *words])
    assert done.exit_code == 2 and message in done.stderr and not list(tmp_path.iterdir())


@contextmanager
def server(answer: bytes):
    """The address of a server that says one thing to one client."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with suppress(OSError):
                connection, _ = listening.accept()
                connection.sendall(answer)
                kept.append(connection)

        kept: list[socket.socket] = []
        threading.Thread(target=serve, daemon=True).start()
        yield "{}:{}".format(*listening.getsockname())
        listening.close()
        for connection in kept:
            connection.close()


def test_auto_takes_what_ray_start_started_or_the_environment_names(tmp_path, cluster, monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert check_cluster("auto") is None  # not that of this program, though it runs
    (folder := tmp_path / "ray").mkdir()
    with server(b"") as killed:
        (folder / "ray_current_cluster").write_text(killed)
    assert check_cluster("auto") is None
    running = ray.get_runtime_context().gcs_address
    (folder / "ray_current_cluster").write_text(running)
    assert check_cluster("auto") == check_cluster(running) == running
    monkeypatch.setenv("RAY_ADDRESS", killed)
    with pytest.raises(ValueError, match="RAY_ADDRESS"):
        check_cluster("auto")


def test_without_ray_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    done = CliRunner().invoke(app, ["conformers", "CCO", "--out", str(tmp_path / "out.sdf"), "--ray", "auto"])
    assert done.exit_code == 2 and "[ray]'" in done.stderr and not list(tmp_path.iterdir())


def test_a_cluster_computes_on_cpus():
    with pytest.raises(ValueError, match="device='cpu'"):
        workers.count(workers.Cluster(2), "cuda")


@pytest.mark.slow
def test_a_signal_is_handled_by_who_handled_it_before(tmp_path):
    """Ray's own function writes a trace, and ends the process three seconds after a signal."""
    program = """if True:
        import signal, sys, time
        from molscore.workers import connect
        def end(*_):
            time.sleep(5)
            sys.exit(7)
        signal.signal(signal.SIGTERM, end)
        connect(workers=1)
        signal.raise_signal(signal.SIGTERM)
    """
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 7 and "SIGTERM" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are not listed here")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", [b"gcs_server", b"ray::IDLE"])
def test_a_command_that_is_stopped_while_ray_starts_leaves_nothing(tmp_path, how, moment):
    out = tmp_path / "out.sdf"
    words = ["--n", "500", "--model", "qm9", "--steps", "20", "--ray", "auto", "--workers", "2"]
    command = subprocess.Popen([sys.executable, "-m", "molscore", "generate", "--out", str(out), *words])
    end = time.monotonic() + 120
    while not any(moment in cmdline(pid) for pid in children(command.pid)):
        assert time.monotonic() < end and command.poll() is None
    command.send_signal(how)
    processes = set(children(command.pid))
    while command.poll() is None:
        assert time.monotonic() < end
        processes |= set(children(command.pid))
        time.sleep(0.1)
    assert command.returncode == 128 + how and not out.exists()
    while any(b"ray" in cmdline(pid) for pid in processes):
        assert time.monotonic() < end + 60
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are not listed here")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_keeps_what_there_is_and_leaves_no_actor(tmp_path, how):
    out, words = (
        tmp_path / "out.sdf",
        ["--n", "5000", "--model", "qm9", "--steps", "20", "--ray", "auto", "--workers", "2"],
    )
    command = subprocess.Popen([sys.executable, "-m", "molscore", "generate", "--out", str(out), *words])
    end = time.monotonic() + 120
    while not (journal := tmp_path / ".out.sdf.journal").is_file() or journal.stat().st_size < 4000:
        assert time.monotonic() < end and command.poll() is None
        time.sleep(0.2)
    processes = children(command.pid)
    assert any(b"ray::_Served" in cmdline(pid) for pid in processes)
    command.send_signal(how)
    assert command.wait(60) == 128 + how
    assert out.read_text().count("$$$$") > 0
    while any(b"ray::" in cmdline(pid) for pid in processes):
        assert time.monotonic() < end + 60
        time.sleep(0.1)

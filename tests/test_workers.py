"""Worker processes: order, one thread each, errors, deaths, and an end with the process that started them."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from tasks import counting, embedding, fragile, refusing, squares, threads, unstartable

from molscore import workers
from molscore.workers import WorkerError, Workers, cores, one_thread
from molscore.workers import pool as pools


@pytest.mark.parametrize("number", [1, 2, 3])
def test_results_come_in_the_order_of_the_tasks(number):
    with Workers(squares, number) as pool:
        assert list(pool.map(range(12))) == [(x, x * x) for x in range(12)]


def test_tasks_are_taken_from_their_source_little_by_little():
    taken = []

    def source():
        for x in range(100):
            taken.append(x)
            yield x

    with Workers(squares, 2) as pool:
        assert next(pool.map(source())) == (0, 0)
        assert len(taken) <= workers.AHEAD * 2


def test_each_has_one_thread():
    with Workers(threads, 2) as pool:
        processes = list(pool.map(range(4)))
    assert os.getpid() not in {pid for pid, *_ in processes}
    assert {(own, setting) for _, own, setting in processes} == {(1, "1")}


def test_a_single_task_starts_no_process():
    with Workers(threads, 4) as pool:
        assert [pid for pid, *_ in pool.map([0])] == [os.getpid()]


def test_one_worker_is_the_calling_process():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Workers(partial(lambda: lambda task: (os.getpid(), torch.get_num_threads())), 1) as pool:
            assert list(pool.map("x")) == [(os.getpid(), 1)]
        assert torch.get_num_threads() == 2
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("lives", [1, 2])
def test_a_task_whose_worker_died_is_done_again(tmp_path, lives):
    with Workers(partial(fragile, tmp_path, lives), 2) as pool:
        assert list(pool.map(range(5))) == [0, 10, 20, 30, 40]
    assert len(list(tmp_path.iterdir())) == lives


def test_a_task_that_kills_every_worker_is_given_up(tmp_path):
    with Workers(partial(fragile, tmp_path, 99), 2) as pool, pytest.raises(WorkerError, match="fewer workers"):
        list(pool.map(range(5)))
    assert len(list(tmp_path.iterdir())) == pools.TRIES


@pytest.mark.parametrize("number", [1, 2])
def test_errors_of_the_function_arrive_as_they_are(number):
    with Workers(refusing, number) as pool, pytest.raises(KeyError, match="why") as caught:
        list(pool.map(["why", "not"]))
    assert number == 1 or "_refuse" in str(caught.value.__cause__)
    with Workers(unstartable, number) as pool, pytest.raises(FileNotFoundError, match="no model"):
        list(pool.map([1, 2]))


def test_molecules_keep_their_properties_and_every_digit():
    here, there = embedding()("CCO"), None
    with Workers(embedding, 2) as pool:
        there = list(pool.map(["CCO", "CCO"]))[0]
    assert there.GetDoubleProp("energy") == 0.125 and there.GetConformer().GetProp("method") == "etkdg"
    assert (there.GetConformer().GetPositions() == here.GetConformer().GetPositions()).all()


PARENT = """
import os, pathlib, time
from tasks import sleeping
from molscore.workers import Workers, prepare

if __name__ == "__main__":
    if os.environ["PREPARED"] == "yes":
        prepare("tasks")
    pathlib.Path(os.environ["PIDS"], str(os.getpid())).touch()
    with Workers(sleeping, 2) as pool:
        for _ in range(2):
            pool.submit(None)
        time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are not listed here")
@pytest.mark.parametrize("to_all", [False, True], ids=["to the parent", "to all, as a terminal does"])
@pytest.mark.parametrize("started", [False, True], ids=["while they start", "at work"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("prepared", ["no", "yes"], ids=["spawned", "from the server"])
def test_workers_end_with_the_process_that_started_them(tmp_path, prepared, how, started, to_all):
    script, pids = tmp_path / "parent.py", tmp_path / "pids"
    script.write_text(PARENT)
    pids.mkdir()
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": path, "PIDS": str(pids), "PREPARED": prepared},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    _until(lambda: len(list(pids.iterdir())) == (3 if started else 1))
    time.sleep(0 if started else 0.1)
    os.killpg(parent.pid, how) if to_all else parent.send_signal(how)
    _, errors = parent.communicate(timeout=60)  # until nobody holds the other end
    _until(lambda: not any(Path("/proc", pid.name).exists() for pid in pids.iterdir()))
    assert errors.count("Traceback") == (how == signal.SIGINT) and "molscore-worker" not in errors


SERVED = """
import os
import tasks
from molscore.workers import Workers, prepare

if __name__ == "__main__":
    prepare("tasks")
    with Workers(tasks.threads, 2) as pool:
        print(sorted({answer[1:] for answer in pool.map(range(4))}))
    for number in (3, 300):  # more than a fork server takes
        with Workers(tasks.Tensors(number), 2) as pool:
            print(list(pool.map(range(3))))
"""


def test_workers_from_the_server_do_the_same(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SERVED)
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    environment = os.environ | {"PYTHONPATH": path}
    run = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=300)
    assert run.stdout.splitlines() == ["[(1, '1')]", "[3.0, 4.0, 5.0]", "[300.0, 301.0, 302.0]"], run.stderr


def _until(true) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_worker_may_start_no_others():
    with Workers(counting, 2) as pool:
        assert list(pool.map(["auto", 1])) == [1, 1]
        with pytest.raises(ValueError, match="leave workers at 1"):
            list(pool.map([2]))
    with pytest.raises(ValueError, match="workers must be"):
        workers.count(0)


def test_auto_takes_the_cores_of_this_process(monkeypatch):
    monkeypatch.setattr(cores, "quotas", lambda: iter(()))
    own = os.sched_getaffinity(0)
    assert workers.count("auto") == len(own)
    os.sched_setaffinity(0, {min(own)})
    try:
        assert workers.count("auto") == 1
    finally:
        os.sched_setaffinity(0, own)
    monkeypatch.setattr(cores, "quotas", lambda: iter((0.5, 3.0)))
    assert workers.count("auto") == 1


def test_quotas_of_control_groups(tmp_path):
    groups = tmp_path / "cgroup"
    groups.write_text("0::/job/step\n")
    for folder, text in (("job", "150000 100000"), ("job/step", "max 100000")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cpu.max").write_text(text + "\n")
    assert list(cores.quotas(tmp_path, groups)) == [1.5]
    groups.write_text("4:memory:/x\n3:cpu,cpuacct:/seen/by/the/host\n")
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("400000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert list(cores.quotas(tmp_path, groups)) == [4.0]
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert list(cores.quotas(tmp_path, groups)) == []

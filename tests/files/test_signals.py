"""Ctrl-C and SIGTERM raise, and wait while something must not be torn apart."""

import os
import signal
import threading

import pytest

from molscore.files.signals import Terminated, terminable, uninterrupted


@pytest.fixture(autouse=True)
def as_in_a_terminal():
    """Shells start background jobs with SIGINT ignored."""
    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_signals_wait_for_the_end_of_the_block(number, error):
    reached = []
    with pytest.raises(error), terminable():
        with uninterrupted():
            with uninterrupted():
                os.kill(os.getpid(), number)
                reached.append("inner")
            reached.append("outer")
        reached.append("never")
    assert reached == ["inner", "outer"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_sigterm_is_a_keyboard_interrupt():
    with pytest.raises(KeyboardInterrupt), terminable():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(5)


def test_threads_leave_signals_alone():
    seen = []

    def work():
        with terminable(), uninterrupted():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]

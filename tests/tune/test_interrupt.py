from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

import pytest

from tcray.tune.interrupt import Interrupt


@dataclass
class Lease:
    """A lease whose holder is asked to stop when the test says so."""

    stop_asked: bool = False


def an_interrupt(lease: Any = None) -> Interrupt:
    """Of a driver that nobody asks to stop, unless `lease` says so."""
    return Interrupt(lease or Lease())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_noted_and_the_second_is_not_waited_for(number: signal.Signals) -> None:
    """The first signal is only noted, so that what is under way is recorded; the second is a KeyboardInterrupt."""
    with an_interrupt() as interrupt:
        assert not interrupt.asked
        signal.raise_signal(number)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


def test_whoever_holds_the_lease_may_be_asked_from_elsewhere() -> None:
    """That is as a first signal; one that comes after it is still the first."""
    lease = Lease()
    with an_interrupt(lease) as interrupt:
        assert not interrupt.asked
        lease.stop_asked = True
        assert interrupt.asked
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_signals_mean_what_they_meant() -> None:
    """Whoever handled the signals before does so again."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with an_interrupt():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before

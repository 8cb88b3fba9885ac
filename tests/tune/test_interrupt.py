from __future__ import annotations

import signal
from typing import TYPE_CHECKING, cast

import pytest

from tcray.tune.interrupt import Interrupt

from .fakes import FakeLease

if TYPE_CHECKING:
    from tcray.store.lease import Lease


def make_interrupt(lease: FakeLease | None = None) -> Interrupt:
    """Return the interrupt of a driver without a stop request, or of the given lease."""
    return Interrupt(cast("Lease", lease or FakeLease()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_only_the_second_signal_raises(number: signal.Signals) -> None:
    """The first signal only sets `requested`, so that recording finishes; the second raises KeyboardInterrupt."""
    with make_interrupt() as interrupt:
        before = interrupt.requested
        assert not before
        signal.raise_signal(number)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


def test_a_stop_request_is_not_a_signal() -> None:
    """A request through the lease also sets `requested`; the next signal is still the first one."""
    lease = FakeLease()
    with make_interrupt(lease) as interrupt:
        before = interrupt.requested
        assert not before
        lease.stop_requested = True
        assert interrupt.requested
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_signal_handlers_are_restored() -> None:
    """After `with`, the previous signal handlers are installed again."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with make_interrupt():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before

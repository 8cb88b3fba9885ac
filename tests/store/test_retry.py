"""Trying again for a while."""

from __future__ import annotations

import logging

import pytest

from tcray.errors import InputError, StoreError
from tcray.store import retry


class Flaky:
    """Fails as often as it is told, then returns 7."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left, self.error, self.calls = failures, error, 0

    def __call__(self) -> int:
        """Another attempt."""
        self.calls += 1
        if self.calls <= self.left:
            raise self.error
        return 7


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the pauses short."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.001)


def test_what_fails_for_a_moment_succeeds(caplog: pytest.LogCaptureFixture):
    """Three failures are tried again, and said once."""
    flaky = Flaky(3, StoreError("trials/a cannot be written: No space left on device"))
    with caplog.at_level(logging.WARNING):
        assert retry.retry(flaky, 60) == 7
    assert flaky.calls == 4
    assert caplog.messages == ["trials/a cannot be written: No space left on device; trying again for 60 s"]


def test_what_fails_for_too_long_is_said():
    """Once the time is over the last failure is raised."""
    flaky = Flaky(1000, StoreError("the disk is gone"))
    with pytest.raises(StoreError, match="the disk is gone"):
        retry.retry(flaky, 0.02)
    assert 3 <= flaky.calls < 1000


def test_other_errors_are_not_tried_again():
    """Only a store can come back; an input stays wrong."""
    flaky = Flaky(1, InputError("wrong"))
    with pytest.raises(InputError):
        retry.retry(flaky, 60)
    assert flaky.calls == 1

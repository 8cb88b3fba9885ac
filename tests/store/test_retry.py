"""Tests of retries."""

from __future__ import annotations

import logging

import pytest

from tcray.errors import InputError, StoreError
from tcray.store import retry


class Flaky:
    """A function that raises `error` at its first `failures` calls, then returns 7."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left, self.error, self.calls = failures, error, 0

    def __call__(self) -> int:
        """Count the call; raise the error or return 7."""
        self.calls += 1
        if self.calls <= self.left:
            raise self.error
        return 7


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.001)


def test_a_brief_failure_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    """Three failures in a row are retried and logged once."""
    flaky = Flaky(3, StoreError("trials/a cannot be written: No space left on device"))
    with caplog.at_level(logging.WARNING):
        assert retry.retry(flaky, 60) == 7
    assert flaky.calls == 4
    assert caplog.messages == ["trials/a cannot be written: No space left on device; retrying for 60 s"]


def test_a_long_failure_is_raised() -> None:
    """When the time is over, the last failure is raised."""
    flaky = Flaky(1000, StoreError("the disk is gone"))
    with pytest.raises(StoreError, match="the disk is gone"):
        retry.retry(flaky, 0.02)
    assert 3 <= flaky.calls < 1000


def test_other_errors_are_not_retried() -> None:
    """Only store errors can be temporary; an `InputError` is raised at once."""
    flaky = Flaky(1, InputError("wrong"))
    with pytest.raises(InputError):
        retry.retry(flaky, 60)
    assert flaky.calls == 1

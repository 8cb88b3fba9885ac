"""What the tests of the search share."""

import os

import pytest


@pytest.fixture(autouse=True)
def _a_disk_that_need_not_survive_a_power_cut(monkeypatch):
    """Stores are written hundreds of times here; that they reach the disk is the store's own test."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)

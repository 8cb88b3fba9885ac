"""The expected duration of a sweep."""

from typing import Any

import pytest

from tcray.config.sweep import Confirm, Training
from tcray.search.estimate import estimate_time, load_epoch_seconds
from tcray.search.queue import Queue
from tcray.store.store import Store

from .factories import EXAMPLES, make_plan
from .fakes import FakeTrainer, train_all


def test_without_earlier_runs_the_estimate_follows_the_size_of_the_data() -> None:
    """46 steps of 0.3 ms, scaled by 273/270 columns, for every epoch of every seed."""
    planned = make_plan(factors={}, tune={}, search=None, confirm=Confirm(seeds=10), training=Training(8))
    found = estimate_time(planned, {})
    assert found.seconds == pytest.approx(10 * 8 * 46 * 0.3e-3 * 273 / 270)
    assert not found.measured


def test_a_modality_that_is_not_used_costs_nothing() -> None:
    """Only the columns of the modalities that the cell uses count."""
    given: dict[str, Any] = {"tune": {}, "search": None, "confirm": Confirm(seeds=10)}
    every, text = (make_plan(factors={"modalities": (m,)}, **given) for m in (("text", "audio", "video"), ("text",)))
    assert estimate_time(text, {}).seconds == pytest.approx(estimate_time(every, {}).seconds * 100 / 273)


def test_earlier_runs_of_the_same_kind_are_used(tmp_path) -> None:
    """Runs took 0.1 s per segment; their seconds per epoch are the estimate for the epochs of the next sweep."""
    planned = make_plan(factors={}, tune={}, search=None, confirm=Confirm(seeds=10), training=Training(8))
    store = Store.open(str(tmp_path), create=True)
    record = store.sweep(planned.sweep_id())
    manifest = {"sweep_id": planned.sweep_id(), "name": "small", "started_at": "2026-01-01T00:00:00"}
    record.write_manifest({**manifest, "cards": [card.document() for card in planned.cards.values()]})
    train_all(Queue(planned, record, EXAMPLES), FakeTrainer())
    longer = make_plan(factors={}, tune={}, search=None, confirm=Confirm(seeds=10), training=Training(16))
    found = estimate_time(longer, load_epoch_seconds(longer, store))
    assert found.seconds == pytest.approx(10 * 16 * 0.1 / 8)
    assert found.measured


def test_one_kind_that_was_never_timed_makes_the_estimate_rough(tmp_path) -> None:
    """Timed kinds are used, but the estimate is not marked as measured."""
    planned = make_plan(factors={"conditioning": ("none", "jwae")}, tune={}, search=None, confirm=Confirm(seeds=1))
    (known,) = planned.signatures[planned.cells[0].key]
    found = estimate_time(planned, {known: 1.0})
    assert found.seconds == pytest.approx(8 * 1.0 + 8 * 46 * 0.3e-3 * 273 / 270)
    assert not found.measured

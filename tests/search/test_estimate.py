"""How long a sweep will take."""

import pytest

from tcray.config.sweep import Confirm, Training
from tcray.search.estimate import estimate_time, load_epoch_seconds
from tcray.search.queue import Queue
from tcray.store.store import Store

from .laboratory import EXAMPLES, Trainer, a_plan, finish


def test_without_earlier_runs_the_data_s_size_decides():
    """46 steps of 0.3 ms at 273 of 270 columns, for every epoch of every seed."""
    planned = a_plan(factors={}, tune={}, search=None, confirm=Confirm(seeds=10), training=Training(8))
    found = estimate_time(planned, {})
    assert found.seconds == pytest.approx(10 * 8 * 46 * 0.3e-3 * 273 / 270)
    assert not found.measured


def test_a_modality_that_is_not_used_costs_nothing():
    """The columns that count are those of the cell."""
    given = {"tune": {}, "search": None, "confirm": Confirm(seeds=10)}
    every, text = (a_plan(factors={"modalities": (m,)}, **given) for m in (("text", "audio", "video"), ("text",)))
    assert estimate_time(text, {}).seconds == pytest.approx(estimate_time(every, {}).seconds * 100 / 273)


def test_earlier_runs_of_the_same_kind_decide(tmp_path):
    """Runs took 0.1 s a segment; what they took an epoch is what the next sweep's epochs will take."""
    planned = a_plan(factors={}, tune={}, search=None, confirm=Confirm(seeds=10), training=Training(8))
    store = Store.open(str(tmp_path), create=True)
    record = store.sweep(planned.sweep_id())
    manifest = {"sweep_id": planned.sweep_id(), "name": "small", "started_at": "2026-01-01T00:00:00"}
    record.write_manifest({**manifest, "cards": [card.document() for card in planned.cards.values()]})
    finish(Queue(planned, record, EXAMPLES), Trainer())
    longer = a_plan(factors={}, tune={}, search=None, confirm=Confirm(seeds=10), training=Training(16))
    found = estimate_time(longer, load_epoch_seconds(longer, store))
    assert found.seconds == pytest.approx(10 * 16 * 0.1 / 8)
    assert found.measured


def test_one_kind_that_was_never_timed_makes_the_estimate_rough(tmp_path):
    """What is known is used, and the estimate does not claim more."""
    planned = a_plan(factors={"conditioning": ("none", "jwae")}, tune={}, search=None, confirm=Confirm(seeds=1))
    (known,) = planned.signatures[planned.cells[0].key]
    found = estimate_time(planned, {known: 1.0})
    assert found.seconds == pytest.approx(8 * 1.0 + 8 * 46 * 0.3e-3 * 273 / 270)
    assert not found.measured

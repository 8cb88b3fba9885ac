"""The research data, where there is any: in $TCRAY_REAL_DATA, or in `shared/data` beside the repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("TCRAY_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def real_data(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that needs the research data, and skips it where there is none."""
    absent = pytest.mark.skipif(not REAL_DATA.is_dir(), reason=f"no research data in {REAL_DATA}")
    marked: Callable[..., None] = pytest.mark.real_data(absent(test))
    return marked

"""The analysis of a sweep and its outputs: pure functions of its store, one folder per topic."""

import importlib
import importlib.util
import os

_BACKEND = os.environ.get("MPLBACKEND", "")
if _BACKEND.startswith("module://") and importlib.util.find_spec(_BACKEND[9:].partition(".")[0]) is None:
    # Jupyter sets MPLBACKEND for its children. If that backend is of another environment, importing matplotlib fails;
    # figures are drawn to files and need no backend.
    del os.environ["MPLBACKEND"]
    importlib.import_module("matplotlib")

    os.environ["MPLBACKEND"] = _BACKEND

"""Ray's own validation of cluster files: its JSON Schema, and the checks of its launcher."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def load_schema() -> Any:
    """Return Ray's JSON Schema of a cluster file."""
    import ray.autoscaler

    return json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text(encoding="utf-8"))


def find_launcher_error(config: Mapping[str, Any]) -> str:
    """Return the first line of the error with which Ray's launcher rejects `config`; empty if it accepts it.

    Nothing is started, no cloud is contacted, and nothing is printed.
    """
    from ray.autoscaler._private.util import prepare_config, validate_config

    printed = io.StringIO()
    level = logging.root.manager.disable
    logging.disable()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            validate_config(prepare_config(copy.deepcopy(dict(config))))
    except KeyError as error:
        return f"{error.args[0]} is missing"
    except Exception as error:  # noqa: BLE001  Ray raises arbitrary exceptions, and its launcher would show them
        lines = [*str(error).splitlines(), *reversed(printed.getvalue().splitlines()), type(error).__name__]
        return next(line for line in lines if line.strip())
    finally:
        logging.disable(level)
    return ""

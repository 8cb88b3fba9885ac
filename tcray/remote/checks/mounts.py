"""The files that are sent to the machines: that they are here, and the token among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tcray.remote.checks.findings import Finding, lacking, note
from tcray.remote.cluster_file import UNFILLED, ClusterFile

TOKEN = "~/.ray/auth_token"  # noqa: S105  the path where Ray keeps it

_OWN_TOKEN = re.compile(r"\bRAY_AUTH_TOKEN(_PATH)?=")


def check(file: ClusterFile) -> Iterator[Finding]:
    """Everything under `file_mounts`."""
    mounts = file.mapping("file_mounts")
    said = [*file.texts("docker", "run_options"), *file.texts("head_start_ray_commands")]
    if TOKEN not in mounts and not any(map(_OWN_TOKEN.search, said)):
        where = (file.node("file_mounts"), TOKEN) if mounts else (file.root, "file_mounts")
        yield lacking(*where, f"the machines need the token; say `{TOKEN}: {TOKEN}` in file_mounts")
    for there, here in mounts.items():
        if isinstance(here, str) and UNFILLED not in here and not Path(here).expanduser().exists():
            way = "ray get-auth-token --generate makes one" if here == TOKEN else "`ray up` has to be said where it is"
            yield note(file.node("file_mounts", there), f"there is no {here} here; {way}")

"""The files that are sent to the machines: that they are here, and the token among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from os.path import exists, expanduser

from tcray.cluster.checks.findings import Finding, lacking, note
from tcray.cluster.cluster_file import UNFILLED, ClusterFile
from tcray.config.messages import clip_text

TOKEN = "~/.ray/auth_token"  # noqa: S105  the path where Ray keeps it

_OWN_TOKEN = re.compile(r"\bRAY_AUTH_TOKEN(_PATH)?=")


def check(file: ClusterFile) -> Iterator[Finding]:
    """Everything under `file_mounts`."""
    mounts = file.mapping("file_mounts")
    said = ("docker", "run_options"), ("head_start_ray_commands",)
    if TOKEN not in mounts and not any(_OWN_TOKEN.search(line) for keys in said for line in file.texts(*keys)):
        where = (file.node("file_mounts"), TOKEN) if mounts else (file.root, "file_mounts")
        sentence = f"the machines need the token; say `{TOKEN}: {TOKEN}` in file_mounts"
        yield lacking(*where, sentence, *map(".".join, said))
    for there, here in mounts.items():
        # os.path asks about any text, where pathlib raises: an unknown user's home, a name longer than names can be
        if isinstance(here, str) and UNFILLED not in here and not exists(expanduser(here)):  # noqa: PTH110, PTH111
            way = "ray get-auth-token --generate makes one" if here == TOKEN else "`ray up` has to be said where it is"
            yield note(file.node("file_mounts", there), f"there is no {clip_text(here, 100)} here; {way}")

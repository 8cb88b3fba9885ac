"""Where the store is, and who can reach it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcray.remote.checks.findings import Finding, note
from tcray.remote.cluster_file import ClusterFile
from tcray.remote.node_types import TYPES, node_types

_STORE = re.compile(r"\bTCRAY_STORE=[\"']?([^\s\"']+)")
_CREDENTIALS = re.compile(r"\bAWS_(ACCESS_KEY_ID|PROFILE|SHARED_CREDENTIALS_FILE)\b")


def check(file: ClusterFile) -> Iterator[Finding]:
    """Whether the store outlives the machines, and whether all of them have a right to it."""
    if not file.is_aws:
        return
    said = [
        *file.texts("docker", "run_options"),
        *file.texts("docker", "head_run_options"),
        *file.texts("head_start_ray_commands"),
    ]
    store = next((found[1] for found in map(_STORE.search, said) if found), "")
    if not store:
        sentence = "no TCRAY_STORE: stores are on the head's own disk, and gone with it"
        yield note(file.node("docker") if file.value("docker") else file.root, sentence)
    if not store.startswith("s3://") or any(map(_CREDENTIALS.search, said)):
        return
    for kind in node_types(file):
        if not kind.is_head and not {"IamInstanceProfile", "LaunchTemplate"} & kind.config.keys():
            sentence = "no IamInstanceProfile: what its packs leave goes to the store through the head"
            yield note(file.node(TYPES, kind.name, "node_config"), sentence)

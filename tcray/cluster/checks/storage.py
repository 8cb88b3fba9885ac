"""Where the store is, and who can reach it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcray.cluster.checks.findings import Finding, note
from tcray.cluster.checks.lines import container
from tcray.cluster.cluster_file import ClusterFile
from tcray.cluster.node_types import TYPES, node_types

_STORE = re.compile(r"\bTCRAY_STORE=[\"']?([^\s\"']+)")
_CREDENTIALS = re.compile(r"\bAWS_(ACCESS_KEY_ID|PROFILE|SHARED_CREDENTIALS_FILE)\b")


def check(file: ClusterFile) -> Iterator[Finding]:
    """Whether the store outlives the machines, and whether all of them have a right to it."""
    if not file.is_aws:
        return
    said = _said(file, "head", "")
    store = next((found[1] for found in map(_STORE.search, said) if found), "")
    if not store:
        sentence = "no TCRAY_STORE: stores are on the head's own disk, and gone with it"
        yield note(file.node("docker") if file.value("docker") else file.root, sentence)
    for kind in node_types(file) if store.startswith("s3://") else ():
        trusted = {"IamInstanceProfile", "LaunchTemplate"} & kind.config.keys()
        if not (kind.is_head or trusted or any(map(_CREDENTIALS.search, _said(file, "worker", kind.name)))):
            sentence = "no IamInstanceProfile: what its packs leave goes to the store through the head"
            yield note(file.node(TYPES, kind.name, "node_config"), sentence)


def _said(file: ClusterFile, role: str, kind: str) -> list[str]:
    """What the Ray of such a machine, and with it everything that Ray starts, may have in its environment."""
    lists = *container(file, role, kind), (f"{role}_start_ray_commands",)
    return [line for keys in lists for line in file.texts(*keys)]

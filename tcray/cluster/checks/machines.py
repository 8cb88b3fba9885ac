"""The node types of a cloud's cluster: how many there may be, what they declare, and what their machines have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcray.cluster.checks.findings import MISSING, Finding, lacking, note, required, wrong, wrong_key
from tcray.cluster.checks.form import schema
from tcray.cluster.cluster_file import SPOT_FIRST, UNFILLED, ClusterFile
from tcray.cluster.node_types import TYPES, NodeType, node_types
from tcray.config.messages import clip_text, format_key, format_value, quote_text, suggest_names

RESOURCES = ("CPU", "GPU", "memory", "object_store_memory")
"""What Ray knows by itself; any other name is a resource of one's own."""


def check(file: ClusterFile) -> Iterator[Finding]:
    """The head's type, counts, names and amounts of resources, and spot machines that nothing stands in for."""
    if file.is_local:
        return
    types = node_types(file)
    yield from _head(file, types)
    yield from _counts(file, types)
    for kind in types:
        yield from _names(file, kind)
        if kind.machine and UNFILLED not in kind.machine:
            yield from _amounts(file, kind)
        yield from _market(file, kind)


def _head(file: ClusterFile, types: Sequence[NodeType]) -> Iterator[Finding]:
    named = file.value("head_node_type")
    names = [kind.name for kind in types]
    if file.value(TYPES) == {}:
        yield wrong(file.node(TYPES), "expected the type of the head, and those of the workers; found none")
    if not types or named in names:
        return
    if named is None:
        yield from required(file, (), "head_node_type", schema()["properties"])
    elif isinstance(named, str):
        yield wrong(
            file.node("head_node_type"), f"there is no node type {quote_text(named)}; {suggest_names(named, names)}"
        )


def _counts(file: ClusterFile, types: Sequence[NodeType]) -> Iterator[Finding]:
    for kind in types:
        if kind.is_head and kind.most:
            sentence = "the head is the only machine of its type; give workers a type of their own"
            yield wrong(file.node(TYPES, kind.name, "max_workers"), sentence)
        elif kind.least > kind.most:
            node = file.node(TYPES, kind.name, "min_workers")
            reads = "max_workers", f"{TYPES}.{format_key(kind.name)}.max_workers"
            yield wrong(node, f"at least {kind.least}, and max_workers allows {kind.most}", *reads)
    most, least = file.value("max_workers"), sum(kind.least for kind in types)
    if not isinstance(most, int):
        return
    if least > most:
        yield wrong(file.node("max_workers"), f"at most {most}, and the node types' min_workers add up to {least}")
    for kind in types:
        if kind.most > most >= least:
            node = file.node(TYPES, kind.name, "max_workers")
            yield note(node, f"at most {kind.most} of this type, and at most {most} of all types together")


def _names(file: ClusterFile, kind: NodeType) -> Iterator[Finding]:
    """Names that differ from Ray's in case, in the order of letters or by a plural; others are one's own."""
    keys = TYPES, kind.name, "resources"
    letters = {"".join(sorted(name.casefold())): name for name in RESOURCES}
    names = [str(name) for name in file.mapping(*keys)]
    meant = {name: letters.get("".join(sorted(name.casefold().removesuffix("s")))) for name in names}
    for name, known in meant.items():
        if known and name != known:
            yield wrong_key(file.node(*keys, name), f'no resource of Ray; did you mean "{known}"?')
    if names and "CPU" not in meant.values() and not (kind.is_completed or kind.is_head):
        yield lacking(file.node(*keys), "CPU", f"{MISSING}: no such machine would be started for a pack")


def _amounts(file: ClusterFile, kind: NodeType) -> Iterator[Finding]:
    known = kind.known
    if known is None:
        node = file.node(TYPES, kind.name, "node_config", "InstanceType")
        yield note(
            node, f"what a {clip_text(kind.machine)} has is not known here: the resources were not checked against it"
        )
        return
    for resource, has in (("CPU", known.cpus), ("GPU", known.gpus)):
        declared = kind.declared.get(resource, 0)
        if declared > has:
            amount = f"{has or 'no'} {resource}{'' if has == 1 else 's'}"
            node = file.node(TYPES, kind.name, "resources", resource)
            yield wrong(node, f"a {kind.machine} has {amount}, found {format_value(declared)}")
    offered = kind.has("GPU")
    if offered is not None and offered < known.gpus:
        node = file.node(TYPES, kind.name, "resources")
        yield note(node, f"declares {offered:g} of the GPUs of a {kind.machine}, which has {known.gpus}")


def _market(file: ClusterFile, kind: NodeType) -> Iterator[Finding]:
    if not kind.is_spot:
        return
    node = file.node(TYPES, kind.name, "node_config", "InstanceMarketOptions")
    if kind.is_head:
        yield wrong_key(node, "a head from the spot market: when it is taken away, the cluster is gone")
    elif file.text_at("provider", "module") != SPOT_FIRST:
        sentence = "where the spot market has none, Ray goes on asking for it"
        yield note(node, f"{sentence}; provider {SPOT_FIRST} starts such machines on demand instead")

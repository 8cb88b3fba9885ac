"""The provider of the machines: that there is such a one, the keys of its section, and as whom it comes in."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.cluster.checks.findings import Finding, lacking, note, required, wrong, wrong_key
from tcray.cluster.cluster_file import SPOT_FIRST, ClusterFile
from tcray.config.messages import find_nearest, format_value, suggest_names

_EVERY = ("type", "use_internal_ips", "disable_node_updaters", "disable_launch_config_check")
LOCAL = (*_EVERY, "head_ip", "worker_ips", "external_head_ip", "coordinator_address")
AWS = (
    *_EVERY,
    *("module", "region", "availability_zone", "cache_stopped_nodes", "security_group", "key_pair"),
    *("aws_credentials", "cloudwatch", "use_external_head_ip"),
)
"""The keys of the section `provider`, of two providers."""

_AUTH = ("ssh_user", "ssh_private_key", "ssh_public_key", "ssh_proxy_command", "ssh_proxy_use_node_id")


def check(file: ClusterFile) -> Iterator[Finding]:
    """The sections `provider` and `auth`."""
    yield from _type(file)
    if file.mapping("auth"):
        yield from required(file, ("auth",), "ssh_user", _AUTH)
    if file.is_local:
        yield from _keys(file, LOCAL)
    if file.is_aws:
        yield from _keys(file, AWS)


def _type(file: ClusterFile) -> Iterator[Finding]:
    from ray.autoscaler._private.providers import _NODE_PROVIDERS

    named = file.value("provider", "type")
    if isinstance(named, str) and named not in _NODE_PROVIDERS:
        usual = ("aws", "azure", "external", "gcp", "local")
        hint = suggest_names(named, _NODE_PROVIDERS if find_nearest(named, _NODE_PROVIDERS) else usual)
        yield wrong(file.node("provider", "type"), f"there is no provider {format_value(named)}; {hint}")
    module = file.value("provider", "module")
    if module is not None and named != "external":
        yield wrong_key(file.node("provider", "module"), "Ray reads it only where provider.type is external")
    if named == "external" and module is None:
        yield lacking(file.node("provider"), "module")
    elif isinstance(module, str) and module != SPOT_FIRST and find_nearest(module, (SPOT_FIRST,)):
        yield wrong(
            file.node("provider", "module"), f'there is no {format_value(module)}; did you mean "{SPOT_FIRST}"?'
        )
    elif isinstance(named, str) and named in _NODE_PROVIDERS and not (file.is_local or file.is_aws):
        sentence = "of this provider only Ray's schema is checked: of its machines nothing is known here"
        yield note(file.node("provider", "module" if named == "external" else "type"), sentence)


def _keys(file: ClusterFile, known: tuple[str, ...]) -> Iterator[Finding]:
    """Unknown keys that look like known ones; others may be a provider's own."""
    provider = file.mapping("provider")
    for key in map(str, provider):
        if key not in known and (near := find_nearest(key, known)) and near not in provider:
            yield wrong_key(file.node("provider", key), f'no such key; did you mean "{near}"?')

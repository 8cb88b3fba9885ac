"""Software versions of a host: results are reproducible only if every worker has the versions of the driver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from tcray.config.messages import join_words
from tcray.errors import InputError, SweepError

Versions = Mapping[str, str]
"""Versions by name; tcray's are missing if it is not installed."""

REMEDY = "Install the same versions on every host, for example from one image, and restart Ray there."


def _define_locally() -> Callable[[], Versions]:
    """Return a function defined in a function: pickle sends its code, so it also runs on hosts without tcray."""

    def installed_versions() -> Versions:
        """Return the versions installed on this host."""
        import platform

        import ray

        found = {"Python": ".".join(platform.python_version_tuple()[:2]), "Ray": ray.__version__}
        try:
            from tcray.config.run import ENGINE_VERSION
            from tcray.version import __version__
        except ImportError:
            return found
        return {**found, "tcray": __version__, "tcray's engine": str(ENGINE_VERSION)}

    return installed_versions


installed_versions = _define_locally()


def check_matches_driver(driver: Versions) -> None:
    """Raise SweepError if this process does not have the versions of the driver."""
    if difference := _describe_difference(installed_versions(), driver):
        raise SweepError(difference, REMEDY)


def check_hosts_match(hosts: Iterable[tuple[str, Versions]]) -> None:
    """Raise InputError, with the names of the hosts, if any host has other versions than this process."""
    by_difference: dict[str, dict[str, None]] = defaultdict(dict)
    for host, versions in hosts:
        by_difference[_describe_difference(versions, installed_versions())][host] = None
    by_difference.pop("", None)
    if by_difference:
        lines = [f"on {join_words(names, 'and')}: {difference}" for difference, names in by_difference.items()]
        raise InputError("\n".join(lines), REMEDY)


def _describe_difference(versions: Versions, driver: Versions) -> str:
    """Return the differences from the driver's versions; empty if there are none."""
    if "tcray" not in versions:
        return "tcray is not installed"
    return "; ".join(
        f"{name} is {versions[name]}, but {expected} on the driver"
        for name, expected in driver.items()
        if versions[name] != expected
    )

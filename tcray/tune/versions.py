"""What is installed on a host: results are the same wherever a run is trained only as long as that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from tcray.config.messages import join_words
from tcray.errors import InputError, SweepError

Installed = Mapping[str, str]
"""Versions by name; tcray's are missing where it is not installed."""

REMEDY = "Have the same on every host, as by one image, and start Ray there again."


def _sent_whole() -> Callable[[], Installed]:
    """A function within a function: such are pickled with all that they do, and so run where there is no tcray."""

    def installed() -> Installed:
        """What is installed here."""
        import platform

        import ray

        found = {"Python": ".".join(platform.python_version_tuple()[:2]), "Ray": ray.__version__}
        try:
            from tcray import __version__
            from tcray.config.run import ENGINE_VERSION
        except ImportError:
            return found
        return {**found, "tcray": __version__, "tcray's engine": str(ENGINE_VERSION)}

    return installed


installed = _sent_whole()


def expect_driver(there: Installed) -> None:
    """Raises SweepError where this process has not what the driver has, which is `there`."""
    if found := _difference(installed(), there):
        raise SweepError(found, REMEDY)


def expect_alike(hosts: Iterable[tuple[str, Installed]]) -> None:
    """Raises InputError where hosts have not what this process has, naming them."""
    alike: dict[str, dict[str, None]] = defaultdict(dict)
    for host, there in hosts:
        alike[_difference(there, installed())][host] = None
    alike.pop("", None)
    if alike:
        raise InputError("\n".join(f"on {join_words(named, 'and')}: {found}" for found, named in alike.items()), REMEDY)


def _difference(there: Installed, driver: Installed) -> str:
    """Where what is installed is not what the driver has; empty where it is."""
    if "tcray" not in there:
        return "tcray is not installed"
    return "; ".join(
        f"{name} is {there[name]}, and {mine} at the driver" for name, mine in driver.items() if there[name] != mine
    )

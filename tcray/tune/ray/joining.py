"""Checks of a Ray cluster before joining it: it exists, it accepts this process, and the versions match."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from tcray.errors import InputError

TIMEOUT_SECONDS = 5.0
"""Time limit for a connection; Ray itself would retry for a quarter of an hour."""

_START = "Start Ray there with `ray start`, and pass --address HOST:PORT, or --address auto on a node of the cluster."
_COPY = "Copy ~/.ray/auth_token from its head node, or set RAY_AUTH_TOKEN"


def check_cluster(address: str) -> None:
    """Raise InputError, without a long wait, if the Ray at `address`, HOST:PORT or `auto`, cannot be joined."""
    if "://" in address:
        raise InputError(f"{address} is an address for Ray's client, but the driver must join the cluster", _START)
    logging.getLogger("ray").setLevel(logging.CRITICAL)  # Ray logs details about tokens and other clusters
    resolved = _resolve(address)
    shown = resolved if address == "auto" else address
    if not is_listening(resolved):
        raise InputError(f"no Ray cluster answers at {shown}", _START)
    metadata = _read_metadata(resolved, shown)
    if metadata.get("ray_init_cluster"):
        raise InputError(
            f"the Ray at {shown} belongs to another process (for example to a sweep that was started without "
            "--address) and ends with it",
            "Omit --address (and unset RAY_ADDRESS), or start a cluster for both with `ray start --head`.",
        )
    _check_versions(shown, metadata)


def _resolve(address: str) -> str:
    """Return HOST:PORT for an address that may be `auto`."""
    from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
    from ray._private.services import canonicalize_bootstrap_address

    if address == "auto":  # Ray does the same when it joins
        maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
    try:
        with silence_stderr():
            return str(canonicalize_bootstrap_address(address))
    except ConnectionError as error:
        raise InputError("--address auto found no Ray cluster on this machine", _START) from error
    except (ValueError, OSError) as error:
        raise InputError(f"{address} is not the address of a Ray cluster", _START) from error


def is_listening(address: str) -> bool:
    """True if a server accepts connections at HOST:PORT."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_SECONDS).close()
    except (OSError, OverflowError, ValueError, UnicodeError):
        return False
    return True


def _read_metadata(address: str, shown: str) -> Mapping[str, Any]:
    """Return the cluster's versions, and whether `ray.init` started it; messages call the cluster `shown`."""
    from ray._common.usage.usage_lib import get_cluster_metadata
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # missing from Ray's stub
    from ray.exceptions import AuthenticationError, RayError

    sends_token = _sends_token()
    if sends_token and not _has_token():  # the client would end the process
        raise InputError("RAY_AUTH_MODE is token, but there is no token here", f"{_COPY}, or unset it.")
    try:
        with silence_stderr():
            return get_cluster_metadata(GcsClient(address=address)) or {}
    except AuthenticationError as error:
        if sends_token:
            raise InputError(f"the Ray cluster at {shown} does not accept the token here", f"{_COPY}.") from error
        required = f"the Ray cluster at {shown} requires a token"
        if _has_token():
            raise InputError(required, "Set RAY_AUTH_MODE=token to use the one that is here.") from error
        raise InputError(f"{required}, but there is none here", f"{_COPY}, and set RAY_AUTH_MODE=token.") from error
    except RayError as error:
        raise InputError(
            f"the server at {shown} is not a Ray cluster, or has an incompatible version", _START
        ) from error


def _sends_token() -> bool:
    """True if this process sends a token to clusters, and requires one from its own workers."""
    from ray._private.authentication.authentication_token_setup import AuthenticationMode, get_authentication_mode

    return bool(get_authentication_mode() == AuthenticationMode.TOKEN)


def _has_token() -> bool:
    """True if this machine has a token. Ray remembers the lookup: this process then requires it of its workers."""
    from ray._private.authentication.authentication_token_setup import AuthenticationTokenLoader

    return bool(AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True))


def _check_versions(shown: str, metadata: Mapping[str, Any]) -> None:
    """Raise InputError if Ray would reject the driver because of its versions."""
    import ray
    from ray._private.utils import check_version_info

    try:
        check_version_info(dict(metadata), "the driver")
    except RuntimeError as error:
        raise InputError(
            f"the Ray cluster at {shown} runs Ray {metadata['ray_version']} on Python {metadata['python_version']}, "
            f"but this machine has Ray {ray.__version__} on Python {platform.python_version()}",
            "Install the same versions here, or run the command on a node of the cluster.",
        ) from error


@contextlib.contextmanager
def silence_stderr() -> Iterator[None]:
    """Discard what Ray's C++ code writes to stderr; errors are reported by exceptions instead."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)

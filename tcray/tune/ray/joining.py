"""A Ray cluster before it is joined: whether there is one, whether it lets this process in, and whether the two fit."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from tcray.errors import InputError

ANSWER_SECONDS = 5.0
"""How long an address may take to answer; Ray itself would try for a quarter of an hour."""

_START = "Start Ray there with `ray start`, and say --address HOST:PORT, or auto on a node of the cluster."
_COPY = "Copy ~/.ray/auth_token from its head node, or set RAY_AUTH_TOKEN"


def expect_cluster(address: str) -> None:
    """Returns if the Ray at `address`, HOST:PORT or `auto`, can be joined; else raises InputError, and soon."""
    if "://" in address:
        raise InputError(f"{address} is an address for Ray's client, and the driver is part of the cluster", _START)
    logging.getLogger("ray").setLevel(logging.CRITICAL)  # what it would say of tokens and of other clusters
    found = _found(address)
    named = found if address == "auto" else address
    if not answers(found):
        raise InputError(f"no Ray cluster answers at {named}", _START)
    metadata = _metadata(found, named)
    if metadata.get("ray_init_cluster"):
        raise InputError(
            f"the Ray at {named} belongs to another process (as to a sweep that was started without --address), "
            "and ends with it",
            "Leave --address out (and RAY_ADDRESS), or start a cluster for both with `ray start --head`.",
        )
    _expect_same_ray(named, metadata)


def _found(address: str) -> str:
    """HOST:PORT of an address that may be `auto`."""
    from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
    from ray._private.services import canonicalize_bootstrap_address

    if address == "auto":  # as Ray itself does when it joins
        maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
    try:
        with hushed():
            return str(canonicalize_bootstrap_address(address))
    except ConnectionError as error:
        raise InputError("no Ray cluster runs on this machine, for --address auto to find", _START) from error
    except (ValueError, OSError) as error:
        raise InputError(f"{address} is no address of a Ray cluster", _START) from error


def answers(address: str) -> bool:
    """Whether anybody listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError, ValueError, UnicodeError):
        return False
    return True


def _metadata(address: str, named: str) -> Mapping[str, Any]:
    """What a cluster that is `named` so says of itself: its versions, and whether `ray.init` started it."""
    from ray._common.usage.usage_lib import get_cluster_metadata
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # Ray's stub of it lacks most
    from ray.exceptions import AuthenticationError, RayError

    shows = _shows_token()
    if shows and not _has_token():  # the client would end the process
        raise InputError("RAY_AUTH_MODE is token, and there is no token here", f"{_COPY}, or unset it.")
    try:
        with hushed():
            return get_cluster_metadata(GcsClient(address=address)) or {}
    except AuthenticationError as error:
        if shows:
            raise InputError(f"the Ray cluster at {named} does not accept the token here", f"{_COPY}.") from error
        demand = f"the Ray cluster at {named} demands a token, and"
        if _has_token():
            remedy = "Set RAY_AUTH_MODE=token, and it is shown the one that is here."
            raise InputError(f"{demand} is shown none", remedy) from error
        raise InputError(f"{demand} there is none here", f"{_COPY}, and set RAY_AUTH_MODE=token.") from error
    except RayError as error:
        raise InputError(f"what answers at {named} is no Ray cluster, or not one of this version", _START) from error


def _shows_token() -> bool:
    """Whether this process shows a token to clusters, and wants to be shown one."""
    from ray._private.authentication.authentication_token_setup import AuthenticationMode, get_authentication_mode

    return bool(get_authentication_mode() == AuthenticationMode.TOKEN)


def _has_token() -> bool:
    """Whether there is one. Once Ray has looked, this process wants to be shown it: no worker gets in without."""
    from ray._private.authentication.authentication_token_setup import AuthenticationTokenLoader

    return bool(AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True))


def _expect_same_ray(named: str, metadata: Mapping[str, Any]) -> None:
    """Raises InputError where Ray would not let the driver in for its versions."""
    import ray
    from ray._private.utils import check_version_info

    try:
        check_version_info(dict(metadata), "the driver")
    except RuntimeError as error:
        raise InputError(
            f"the Ray cluster at {named} runs Ray {metadata['ray_version']} on Python {metadata['python_version']}, "
            f"and here it is Ray {ray.__version__} on Python {platform.python_version()}",
            "Install the same here, or run the command on a node of the cluster, with what is installed there.",
        ) from error


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keeps what Ray's C++ side writes to stderr from whoever reads there: what it means is said in a sentence."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

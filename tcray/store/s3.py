"""What to know of S3 before its library is let loose on it: that somebody answers, and what its errors mean."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import socket
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

SCHEME = "s3://"

ENDPOINT_SECONDS = 5.0
"""How long an endpoint may take to answer; the library itself would try for minutes, at every request."""

METADATA_SERVICE = ("169.254.169.254", 80)
"""Where a machine of EC2 asks for its region and its role."""
METADATA_SECONDS = 1.0
_ABOUT_METADATA = {"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}

_AMAZON = ("s3.us-east-1.amazonaws.com", 443)
"""Whom the library asks for a bucket's region, where a URI names neither that nor an endpoint."""

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Environment variables by which the library asks another than Amazon, where the URI names none."""

_PORTS = {"http": 80, "https": 443}

_WORDS: Mapping[str, str] = {
    "ACCESS_DENIED": "access is denied",
    "INVALID_ACCESS_KEY_ID": "the access key is unknown there",
    "SIGNATURE_DOES_NOT_MATCH": "the secret key is not that of the access key",
    "INVALID_SIGNATURE": "the secret key is not that of the access key",
    "NO_SUCH_BUCKET": "there is no such bucket",
    "NETWORK_CONNECTION": "it does not answer",
}
"""What the library calls an error, and what that means."""

_ERROR = re.compile(r"AWS Error (\w+)")
_NO_BUCKET = re.compile(r"Bucket '.*' not found")


def check_endpoint(uri: str) -> None:
    """Looks whether the endpoint of a URI answers, and keeps the library from waiting for a metadata service.

    Raises OSError where nobody answers, ValueError for an endpoint that is no address.
    """
    if endpoint := _endpoint(uri):
        _expect_answer(*endpoint)
    _spare_metadata_service()


def explain_error(message: str) -> str:
    """What an error of the library means; empty for what is told well enough by itself."""
    if _NO_BUCKET.search(message):
        return _WORDS["NO_SUCH_BUCKET"]
    found = _ERROR.search(message)
    return _WORDS.get(found[1], "") if found else ""


def _endpoint(uri: str) -> tuple[str, int] | None:
    """Host and port that the library will ask first; None where that is up to what else it is told."""
    parts = urlsplit(uri)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    named = options.get("endpoint_override") or next(filter(None, map(os.environ.get, _ENDPOINTS)), "")
    if not named:
        return _AMAZON if parts.netloc and "region" not in options else None
    scheme, _, rest = named.rpartition("://")
    address = urlsplit(f"//{rest}")
    default = _PORTS.get(options.get("scheme") or scheme, 443)
    return (address.hostname, address.port or default) if address.hostname else None


def _expect_answer(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), ENDPOINT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        raise ConnectionError(f"nobody answers at {host}:{port}") from error


@functools.cache
def _spare_metadata_service() -> None:
    """Tells the library where there is none: it would wait for it 4 s before each request, for want of credentials."""
    if _ABOUT_METADATA.isdisjoint(os.environ):
        with contextlib.suppress(OSError):
            socket.create_connection(METADATA_SERVICE, METADATA_SECONDS).close()
            return
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

"""Fail-fast checks for S3 endpoints and readable S3 errors."""

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
"""Time that an endpoint may take to answer; Arrow's S3 client itself would retry for minutes at every request."""

METADATA_SERVICE = ("169.254.169.254", 80)
"""Address at which an EC2 instance queries its region and role."""
METADATA_SECONDS = 1.0
_METADATA_SETTINGS = {"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}

_AMAZON = ("s3.us-east-1.amazonaws.com", 443)
"""Host and port that the client asks for a bucket's region if the URI has neither a region nor an endpoint."""

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Environment variables with the endpoint that the client uses if the URI has none."""

_PORTS = {"http": 80, "https": 443}

_EXPLANATIONS: Mapping[str, str] = {
    "ACCESS_DENIED": "access is denied",
    "INVALID_ACCESS_KEY_ID": "the access key is unknown to the endpoint",
    "SIGNATURE_DOES_NOT_MATCH": "the secret key does not belong to the access key",
    "INVALID_SIGNATURE": "the secret key does not belong to the access key",
    "NO_SUCH_BUCKET": "the bucket does not exist",
    "NETWORK_CONNECTION": "the endpoint does not answer",
}
"""Explanations of the client's error codes."""

_ERROR = re.compile(r"AWS Error (\w+)")
_NO_BUCKET = re.compile(r"Bucket '.*' not found")


def check_endpoint(uri: str) -> None:
    """Check that the endpoint of a URI answers, and keep the client from waiting for a missing metadata service.

    Raises `OSError` if the endpoint does not answer, and `ValueError` if it is not a valid address.
    """
    if endpoint := _endpoint(uri):
        _check_connection(*endpoint)
    _disable_missing_metadata_service()


def explain_error(message: str) -> str:
    """Return an explanation of an error message of the client; empty if there is none for it."""
    if _NO_BUCKET.search(message):
        return _EXPLANATIONS["NO_SUCH_BUCKET"]
    found = _ERROR.search(message)
    return _EXPLANATIONS.get(found[1], "") if found else ""


def _endpoint(uri: str) -> tuple[str, int] | None:
    """Return the host and port that the client connects to first; None if they cannot be derived from the URI alone."""
    parts = urlsplit(uri)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    named = options.get("endpoint_override") or next(filter(None, map(os.environ.get, _ENDPOINTS)), "")
    if not named:
        return _AMAZON if parts.netloc and "region" not in options else None
    scheme, _, rest = named.rpartition("://")
    address = urlsplit(f"//{rest}")
    default = _PORTS.get(options.get("scheme") or scheme, 443)
    return (address.hostname, address.port or default) if address.hostname else None


def _check_connection(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), ENDPOINT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        raise ConnectionError(f"no answer from {host}:{port}") from error


@functools.cache
def _disable_missing_metadata_service() -> None:
    """Disable the metadata service if it does not answer; without credentials the client waits 4 s per request for it.

    Settings of the user stay as they are.
    """
    if _METADATA_SETTINGS.isdisjoint(os.environ):
        with contextlib.suppress(OSError):
            socket.create_connection(METADATA_SERVICE, METADATA_SECONDS).close()
            return
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

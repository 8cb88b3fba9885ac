"""Tests of S3: a bucket that cannot be used leads to a clear error without a long wait."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tcray.errors import InputError, StoreError
from tcray.store import s3
from tcray.store.store import Store

ANSWERS = {
    "forbidden": (403, "<Error><Code>InvalidAccessKeyId</Code></Error>"),
    "missing": (404, "<Error><Code>NoSuchBucket</Code></Error>"),
}
"""The endpoint's answer (status, document) to requests, by bucket."""


class RefusingHandler(BaseHTTPRequestHandler):
    """Request handler that refuses every request as `ANSWERS` specifies."""

    def answer(self) -> None:
        """Send the status, and the document unless the request is HEAD."""
        status, document = ANSWERS[self.path.split("/")[1].partition("?")[0]]
        self.send_response(status)
        self.send_header("Content-Length", "0" if self.command == "HEAD" else str(len(document)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(document.encode())

    do_HEAD = do_GET = do_PUT = do_POST = answer  # noqa: N815  the names are those of http.server

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the URI options of an endpoint that refuses every request."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with HTTPServer(("127.0.0.1", 0), RefusingHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"scheme=http&endpoint_override=127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("bucket", "message"),
    [
        ("forbidden", "s3://forbidden/trials cannot be read: access is denied"),
        ("missing", "s3://missing/trials/sweeps cannot be created: the bucket does not exist"),
    ],
)
def test_an_unusable_bucket_is_an_error(endpoint: str, bucket: str, message: str) -> None:
    """Wrong credentials and a missing bucket are explained; the remedy names what to check."""
    with pytest.raises(StoreError) as caught:
        Store.open(f"s3://{bucket}/trials?{endpoint}", create=True)
    assert message == caught.value.message
    assert "AWS_ACCESS_KEY_ID" in caught.value.remedy


def test_opening_for_reading_creates_nothing(endpoint: str) -> None:
    """A command that only reads reports that there is no store, whether or not the bucket exists."""
    with pytest.raises(InputError, match="there is no trial store at s3://missing/trials"):
        Store.open(f"s3://missing/trials?{endpoint}")


def test_an_endpoint_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """One plain connection is tried; Arrow's S3 client would retry for minutes."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(StoreError) as caught:
        Store.open(f"s3://bucket/trials?scheme=http&endpoint_override=127.0.0.1:{port}")
    assert f"s3://bucket/trials cannot be reached: no answer from 127.0.0.1:{port}" == caught.value.message


def test_an_invalid_endpoint_is_an_input_error() -> None:
    """A port that is not a number is refused."""
    with pytest.raises(
        InputError, match="bucket/trials is not a valid location of a trial store: Port could not be cast"
    ):
        Store.open("s3://bucket/trials?endpoint_override=here:there")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://b/p", ("s3.us-east-1.amazonaws.com", 443)),
        ("s3://b/p?region=eu-west-1", None),
        ("s3://", None),
        ("s3://b/p?endpoint_override=minio:9000&scheme=http", ("minio", 9000)),
        ("s3://b/p?endpoint_override=minio&scheme=http", ("minio", 80)),
        ("s3://b/p?endpoint_override=minio", ("minio", 443)),
        ("s3://b/p?endpoint_override=[::1]:9000", ("::1", 9000)),
    ],
)
def test_the_first_endpoint(uri: str, expected: tuple[str, int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client connects to the URI's endpoint; else to Amazon for the bucket's region, unless the URI has it."""
    for name in s3._ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert expected == s3._endpoint(uri)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("http://minio:9000", ("minio", 9000)), ("http://minio", ("minio", 80)), ("https://minio", ("minio", 443))],
)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_environment_may_name_the_endpoint(
    name: str, value: str, expected: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint in the URI takes precedence over one in the environment, as in Arrow's S3 client."""
    monkeypatch.setenv(name, value)
    assert expected == s3._endpoint("s3://b/p") == s3._endpoint("s3://b/p?region=eu-west-1")
    assert ("here", 443) == s3._endpoint("s3://b/p?endpoint_override=here")


@pytest.mark.parametrize("there", [True, False])
def test_the_metadata_service_is_used_if_it_answers(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it does not answer it is disabled; otherwise the client would wait for it at every request."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "")  # so that it is restored after the test
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with socket.create_server(("127.0.0.1", 0)) as service:
        address = service.getsockname()
        if not there:
            service.close()
        monkeypatch.setattr(s3, "METADATA_SERVICE", address)
        s3._disable_missing_metadata_service.__wrapped__()
    assert (None if there else "true") == os.environ.get("AWS_EC2_METADATA_DISABLED")


@pytest.mark.parametrize("name", ["AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT"])
def test_the_users_metadata_settings_are_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the user has configured the metadata service, the variable stays and no connection is tried."""
    monkeypatch.setattr(s3, "METADATA_SERVICE", None)
    monkeypatch.setenv(name, "as the user set it")
    before = dict(os.environ)
    s3._disable_missing_metadata_service.__wrapped__()
    assert before == dict(os.environ)

"""A bucket that cannot be had is told in a sentence, and soon."""

from __future__ import annotations

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
"""What the endpoint says to requests about a bucket of that name."""


class Refusing(BaseHTTPRequestHandler):
    """Answers every request about a bucket as `ANSWERS` has it."""

    def answer(self) -> None:
        """Status, and where there may be one a document."""
        status, document = ANSWERS[self.path.split("/")[1].partition("?")[0]]
        self.send_response(status)
        self.send_header("Content-Length", "0" if self.command == "HEAD" else str(len(document)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(document.encode())

    do_HEAD = do_GET = do_PUT = do_POST = answer  # noqa: N815  the names are those of http.server

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The options of a URI whose endpoint refuses everything."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"scheme=http&endpoint_override=127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("bucket", "sentence"),
    [
        ("forbidden", "s3://forbidden/trials cannot be read: access is denied"),
        ("missing", "s3://missing/trials/sweeps cannot be made: there is no such bucket"),
    ],
)
def test_a_bucket_that_cannot_be_had(endpoint: str, bucket: str, sentence: str) -> None:
    """Wrong credentials and a bucket that is not there are each a sentence, which says what to look at."""
    with pytest.raises(StoreError) as caught:
        Store.open(f"s3://{bucket}/trials?{endpoint}", create=True)
    assert sentence == caught.value.message
    assert "AWS_ACCESS_KEY_ID" in caught.value.remedy


def test_without_a_store_nothing_is_made(endpoint: str) -> None:
    """A command that reads says that there is no store, bucket or not."""
    with pytest.raises(InputError, match="there is no trial store at s3://missing/trials"):
        Store.open(f"s3://missing/trials?{endpoint}")


def test_an_endpoint_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once by a plain connection; the library would ask for minutes."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(StoreError) as caught:
        Store.open(f"s3://bucket/trials?scheme=http&endpoint_override=127.0.0.1:{port}")
    assert f"s3://bucket/trials cannot be reached: nobody answers at 127.0.0.1:{port}" == caught.value.message


def test_an_endpoint_that_is_no_address() -> None:
    """A port that is no number is wrong input."""
    with pytest.raises(InputError, match="s3://bucket/trials is no place for a trial store: Port could not be cast"):
        Store.open("s3://bucket/trials?endpoint_override=here:there")


@pytest.mark.parametrize(
    ("uri", "asked"),
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
def test_who_will_be_asked_first(uri: str, asked: tuple[str, int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint of the URI; else Amazon, for the bucket's region, unless the URI names it."""
    for name in s3._ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert asked == s3._endpoint(uri)


@pytest.mark.parametrize(
    ("value", "asked"),
    [("http://minio:9000", ("minio", 9000)), ("http://minio", ("minio", 80)), ("https://minio", ("minio", 443))],
)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_environment_may_name_who_is_asked(
    name: str, value: str, asked: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does to the library, where the URI does not."""
    monkeypatch.setenv(name, value)
    assert asked == s3._endpoint("s3://b/p") == s3._endpoint("s3://b/p?region=eu-west-1")
    assert ("here", 443) == s3._endpoint("s3://b/p?endpoint_override=here")


@pytest.mark.parametrize("there", [True, False])
def test_the_metadata_service_is_used_where_there_is_one(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none answers the library is told, or it would wait for it before every request."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "")  # so that it is taken back afterwards
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with socket.create_server(("127.0.0.1", 0)) as service:
        address = service.getsockname()
        if not there:
            service.close()
        monkeypatch.setattr(s3, "METADATA_SERVICE", address)
        s3._spare_metadata_service.__wrapped__()
    assert (None if there else "true") == s3.os.environ.get("AWS_EC2_METADATA_DISABLED")


@pytest.mark.parametrize("name", ["AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT"])
def test_whoever_said_something_about_the_metadata_service_is_heard(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of the user's stays, and nobody is asked."""
    monkeypatch.setattr(s3, "METADATA_SERVICE", None)
    monkeypatch.setenv(name, "as I say")
    before = dict(s3.os.environ)
    s3._spare_metadata_service.__wrapped__()
    assert before == dict(s3.os.environ)

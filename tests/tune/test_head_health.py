from __future__ import annotations

import socket
import subprocess
import sys

CHECK = """\
import sys, time
from tcray.tune import head_health
head_health.PROBE_SECONDS = 0.05
head_health.SILENCE_SECONDS = 0.2
with head_health.HeadHealthCheck(sys.argv[1]):
    time.sleep(float(sys.argv[2]))
time.sleep(1)
print("continued")
"""
"""A program that checks the head at an address for a number of seconds, and then continues without."""


def run_check(address: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Return the completed program."""
    command = [sys.executable, "-c", CHECK, address, str(seconds)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def closed_address() -> str:
    """Return an address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as head:
        return f"127.0.0.1:{head.getsockname()[1]}"


def test_a_head_that_answers() -> None:
    """The process continues as long as the head answers; after the check has ended the head may go."""
    with socket.create_server(("127.0.0.1", 0)) as head:
        process = run_check(f"127.0.0.1:{head.getsockname()[1]}", 2)
    assert (0, "continued\n", "") == (process.returncode, process.stdout, process.stderr)


def test_a_head_that_is_gone() -> None:
    """A process whose head is gone ends with exit code 1 and an error message, even while it waits."""
    address = closed_address()
    process = run_check(address, 1000)
    assert (1, "") == (process.returncode, process.stdout)
    assert process.stderr == (
        f"Error: the Ray cluster at {address} is gone: its head has not answered for 0 s\n"
        "Recorded results are kept. Run the same command on a running cluster to resume.\n"
    )


def test_no_check_after_the_end() -> None:
    """A head that goes after the check has ended does not end the process."""
    process = run_check(closed_address(), 0)
    assert (0, "continued\n") == (process.returncode, process.stdout)

from __future__ import annotations

import socket
import subprocess
import sys

FEEL = """\
import sys, time
from tcray.tune import head_health as pulse
pulse.LOOK_SECONDS = 0.05
pulse.SILENCE_SECONDS = 0.2
with pulse.HeadHealthCheck(sys.argv[1]):
    time.sleep(float(sys.argv[2]))
time.sleep(1)
print("went on")
"""
"""A process that feels the pulse of an address for a while, and then goes on without."""


def felt(address: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """What becomes of it."""
    command = [sys.executable, "-c", FEEL, address, str(seconds)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_a_cluster_that_is_there() -> None:
    """As long as its head answers nothing happens; and once it is no longer felt, it may go."""
    with socket.create_server(("127.0.0.1", 0)) as head:
        process = felt(f"127.0.0.1:{head.getsockname()[1]}", 2)
    assert (0, "went on\n", "") == (process.returncode, process.stdout, process.stderr)


def test_a_cluster_that_is_gone() -> None:
    """A process whose cluster is gone ends with exit code 1 and a sentence, whatever it waits for."""
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
    process = felt(address, 1000)
    assert (1, "") == (process.returncode, process.stdout)
    assert process.stderr == (
        f"Error: the Ray cluster at {address} is gone: its head has not answered for 0 s\n"
        "What was recorded stays: on a cluster that is there the same command goes on.\n"
    )


def test_afterwards_it_may_go() -> None:
    """A cluster that goes once it is not needed any more is nobody's concern."""
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
    process = felt(address, 0)
    assert (0, "went on\n") == (process.returncode, process.stdout)

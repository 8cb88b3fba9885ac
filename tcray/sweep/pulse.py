"""Whether the cluster that was joined is still there: Ray itself would wait for a minute, and end the process."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from tcray.errors import SweepError

SILENCE_SECONDS = 30.0
"""How long the head of a cluster may not be reached until it counts as gone."""

CONNECT_SECONDS = 5.0
PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class Pulse:
    """Of the head of a cluster; `address` is that of Ray's control service there, HOST:PORT."""

    address: str
    _felt_at: float = field(default_factory=time.monotonic, init=False)

    def expect(self) -> None:
        """Returns once it is felt: what is asked of Ray then has an answer. Raises SweepError where it was not for long.

        To be called before anything is asked of Ray that would otherwise be waited for.
        """
        while not self._is_felt():
            if time.monotonic() - self._felt_at > SILENCE_SECONDS:
                raise SweepError(
                    f"the Ray cluster at {self.address} is gone: its head has not answered for {SILENCE_SECONDS:.0f} s",
                    "The same command goes on from what is recorded, once there is a cluster again.",
                )
            time.sleep(PAUSE_SECONDS)
        self._felt_at = time.monotonic()

    def _is_felt(self) -> bool:
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
        except OSError:
            return False
        return True

"""Images built and run without an engine: buildah, with a storage of its own, on a Debian made by debootstrap."""

from __future__ import annotations

import ast
import configparser
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASE = "localhost/base:bookworm"


class BuildahError(Exception):
    """All that buildah said where it failed."""


@dataclass(frozen=True, slots=True)
class Buildah:
    """The images and containers in a folder, which hosts see too."""

    folder: Path

    @staticmethod
    def missing() -> str | None:
        """Why images cannot be built here."""
        absent = [program for program in ("buildah", "debootstrap") if shutil.which(program) is None]
        return f"needs {' and '.join(absent)}: apt-get install {' '.join(absent)}" if absent else None

    def command(self, *argv: str) -> list[str]:
        """The command that says something to buildah."""
        storage = [f"--root={self.folder}/storage", f"--runroot={self.folder}/run", "--storage-driver=overlay"]
        return ["env", f"TMPDIR={self.folder}", "buildah", *storage, *argv]

    def say(self, *argv: str) -> str:
        """What buildah answers, on stdout and stderr; raises BuildahError where it fails."""
        ran = subprocess.run(
            self.command(*argv), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if ran.returncode:
            raise BuildahError(ran.stdout)
        return ran.stdout

    def make_base(self) -> None:
        """Debian 12 as small as it comes, as the image BASE."""
        root = self.folder / "base"
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(root)], check=True, stdout=subprocess.PIPE)
        for package in (root / "var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        container = self.say("from", "scratch").strip()
        self.say("copy", "--quiet", container, str(root), "/")
        self.say("commit", "--quiet", "--rm", container, BASE)
        shutil.rmtree(root)

    def build(self, source: Path, tag: str, *arguments: str) -> str:
        """Builds docker/Dockerfile of `source` on BASE, and returns what was said; `arguments` are build arguments."""
        named = [word for argument in (f"BASE_IMAGE={BASE}", *arguments) for word in ("--build-arg", argument)]
        kind = ["--isolation=chroot", "--pull-never", "--layers", "--force-rm", "--format=docker"]
        file = f"--file={source}/docker/Dockerfile"
        return self.say("bud", *kind, *named, *self._pip_as_here(), file, f"--tag={tag}", str(source))

    def look(self, image: str) -> dict[str, Any]:
        """What an image is: its configuration under `config`, its layers under `rootfs`, `diff_ids`."""
        found: dict[str, Any] = json.loads(self.say("inspect", "--type=image", image))["Docker"]
        return found

    def start(self, container: str, image: str) -> None:
        """Makes the files of a container."""
        self.say("from", f"--name={container}", "--pull-never", image)

    def run(self, container: str, volumes: Sequence[str], *argv: str) -> list[str]:
        """The command that runs another in a container of that name, as its user; volumes as of `docker run`."""
        mounted = [f"--volume={volume}" for volume in volumes]
        return self.command("run", "--isolation=chroot", f"--hostname={container}", *mounted, container, "--", *argv)

    def remove(self) -> None:
        """Ends all that is in the folder, and the folder."""
        self.say("rm", "--all")
        self.say("rmi", "--all", "--force")
        # which buildah mounts onto itself, and leaves so
        subprocess.run(["umount", "--lazy", str(self.folder / "storage" / "overlay")], check=False, capture_output=True)
        shutil.rmtree(self.folder)

    def _pip_as_here(self) -> list[str]:
        """Options by which pip finds in a build what it finds here: its settings, and the files that they name."""
        command = [sys.executable, "-m", "pip", "config", "list"]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        settings = configparser.RawConfigParser()
        settings.add_section("global")
        volumes = set()
        for key, _, value in (line.partition("=") for line in told.splitlines()):
            words = [word for word in ast.literal_eval(value).split() if not word.startswith("file:")]
            places = [word for word in words if Path(word).is_absolute()]
            volumes |= {f"--volume={place}:/mnt{place}:ro" for place in places}
            if words:
                named = " ".join(f"/mnt{word}" if word in places else word for word in words)
                settings.set("global", key.rpartition(".")[2], named)
        file = self.folder / "pip.conf"
        with file.open("w") as written:
            settings.write(written)
        return [*sorted(volumes), f"--volume={file}:/etc/pip.conf:ro"]

"""Images built and run without an engine: buildah with its own storage, on a Debian made by debootstrap."""

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
    """Output of a buildah command that failed."""


@dataclass(frozen=True, slots=True)
class Buildah:
    """The images and containers in a folder, which hosts see too."""

    folder: Path

    @staticmethod
    def missing() -> str | None:
        """Return the reason why images cannot be built here; None if they can."""
        absent = [program for program in ("buildah", "debootstrap") if shutil.which(program) is None]
        return f"needs {' and '.join(absent)}: apt-get install {' '.join(absent)}" if absent else None

    def command(self, *argv: str) -> list[str]:
        """Return the command that runs buildah with these arguments."""
        storage = [f"--root={self.folder}/storage", f"--runroot={self.folder}/run", "--storage-driver=overlay"]
        return ["env", f"TMPDIR={self.folder}", "buildah", *storage, *argv]

    def run_buildah(self, *argv: str) -> str:
        """Return the output of a buildah command. Raise BuildahError if it fails."""
        ran = subprocess.run(
            self.command(*argv), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if ran.returncode:
            raise BuildahError(ran.stdout)
        return ran.stdout

    def make_base(self) -> None:
        """Build a minimal Debian 12 as the image BASE."""
        root = self.folder / "base"
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(root)], check=True, stdout=subprocess.PIPE)
        for package in (root / "var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        container = self.run_buildah("from", "scratch").strip()
        self.run_buildah("copy", "--quiet", container, str(root), "/")
        self.run_buildah("commit", "--quiet", "--rm", container, BASE)
        shutil.rmtree(root)

    def build(self, source: Path, tag: str, *arguments: str) -> str:
        """Build docker/Dockerfile of `source` on BASE with these build arguments, and return the output."""
        named = [word for argument in (f"BASE_IMAGE={BASE}", *arguments) for word in ("--build-arg", argument)]
        kind = ["--isolation=chroot", "--pull-never", "--layers", "--force-rm", "--format=docker"]
        file = f"--file={source}/docker/Dockerfile"
        return self.run_buildah("bud", *kind, *named, *self._pip_options(), file, f"--tag={tag}", str(source))

    def inspect(self, image: str) -> dict[str, Any]:
        """Return the description of an image: `config`, and its layers in `rootfs`, `diff_ids`."""
        found: dict[str, Any] = json.loads(self.run_buildah("inspect", "--type=image", image))["Docker"]
        return found

    def start(self, container: str, image: str) -> None:
        """Create the files of a container."""
        self.run_buildah("from", f"--name={container}", "--pull-never", image)

    def run(self, container: str, volumes: Sequence[str], *argv: str) -> list[str]:
        """Return the command that runs another one in a container, as its user; volumes as for `docker run`."""
        mounted = [f"--volume={volume}" for volume in volumes]
        return self.command("run", "--isolation=chroot", f"--hostname={container}", *mounted, container, "--", *argv)

    def remove(self) -> None:
        """Delete all containers, all images and the folder."""
        self.run_buildah("rm", "--all")
        self.run_buildah("rmi", "--all", "--force")
        # buildah bind-mounts this folder onto itself and does not unmount it
        subprocess.run(["umount", "--lazy", str(self.folder / "storage" / "overlay")], check=False, capture_output=True)
        shutil.rmtree(self.folder)

    def _pip_options(self) -> list[str]:
        """Return options that give pip in a build its settings on this machine, and the files they name."""
        command = [sys.executable, "-m", "pip", "config", "list"]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        settings = configparser.RawConfigParser()
        settings.add_section("global")
        volumes = set()
        for key, _, value in (line.partition("=") for line in output.splitlines()):
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

"""Open ports, missing tokens and secrets, each reported at its line and column."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tcray.cluster.check import CheckResult, check_cluster_file
from tests.cluster.factories import Case, load_edited, make_case

pytestmark = pytest.mark.usefixtures("checkout")

MISSING = "required, and missing"
TYPES = "available_node_types"
HEAD, WORKER = "head_start_ray_commands[1]", "worker_start_ray_commands[1]"
HEAD_PLACE, WORKER_PLACE = "\nhead_start_ray_commands: … >-", "\nworker_start_ray_commands: … >-"
OPEN_HEAD = "anyone who reaches the head can run code on it"
REJECTED = "a head that requires the token rejects it"
NO_GROUP = f"{MISSING}: Ray would create a group that opens port 22 to the world"
RULES = """\
  security_group:
    IpPermissions:
      - {FromPort: 22, ToPort: 22, IpProtocol: tcp, IpRanges: [{CidrIp: 198.51.100.7/32}]}
      - {FromPort: 8265, ToPort: 8265, IpProtocol: tcp, IpRanges: [{CidrIp: 0.0.0.0/0}]}
      - {FromPort: 0, ToPort: 65535, IpProtocol: tcp, Ipv6Ranges: [{CidrIpv6: "::/0"}]}
      - {IpProtocol: "-1", IpRanges: [{CidrIp: 0.0.0.0/0}]}
"""
HALVES = """
  security_group:
    IpPermissions:
      - {FromPort: 22, ToPort: 22, IpProtocol: tcp, IpRanges: [{CidrIp: 0.0.0.0/1}, {CidrIp: 128.0.0.0/1}]}
      - {FromPort: 23, ToPort: 23, IpProtocol: tcp, IpRanges: [{CidrIp: 1.2.3.4/0}]}
      - {FromPort: 24, ToPort: 24, IpProtocol: tcp, Ipv6Ranges: [{CidrIpv6: "2000::/3"}]}
      - {FromPort: 25, ToPort: 25, IpProtocol: tcp, IpRanges: [{CidrIp: me}]}
      - {FromPort: 26, ToPort: 26, IpProtocol: tcp, IpRanges: [{CidrIp: 10.0.0.0/8}]}
"""


def secret(what: str) -> str:
    """Return the message about a secret."""
    return f"a secret ({what}), which must not be in a file"


DASHBOARD = (
    "--dashboard-host=0.0.0.0 opens the dashboard, which runs any code it is sent; use --dashboard-host=127.0.0.1"
)

INVALID = {
    "no security group": make_case(
        "gpu",
        {"SecurityGroupIds: [sg-0123456789abcdef0]": "EbsOptimized: true"},
        *(
            (f"  {name}: … node_config", f"{TYPES}.{name}.node_config.SecurityGroupIds", NO_GROUP)
            for name in ("head", "gpu", "gpus")
        ),
    ),
    "ports open to the world": make_case(
        "gpu",
        {"\nauth:\n": f"{RULES}auth:\n"},
        ("{FromPort: 8265", "provider.security_group.IpPermissions[1]", "opens port 8265 to the world (0.0.0.0/0)"),
        ("{FromPort: 0,", "provider.security_group.IpPermissions[2]", "opens ports 0 to 65535 to the world (::/0)"),
        ("{IpProtocol:", "provider.security_group.IpPermissions[3]", "opens every port to the world (0.0.0.0/0)"),
    ),
    "other notations of the world": make_case(
        "gpu",
        {"\nauth:\n": f"{HALVES}auth:\n"},
        ("{FromPort: 22,", "provider.security_group.IpPermissions[0]", "opens port 22 to the world (0.0.0.0/1)"),
        ("{FromPort: 23,", "provider.security_group.IpPermissions[1]", "opens port 23 to the world (1.2.3.4/0)"),
        ("{FromPort: 24,", "provider.security_group.IpPermissions[2]", "opens port 24 to the world (2000::/3)"),
        (
            "{FromPort: 25,",
            "provider.security_group.IpPermissions[3]",
            'expected addresses, as 203.0.113.7/32, found "me"',
        ),
    ),
    "published port": make_case(
        "gpu",
        {"    - --ulimit": "    - -p 8265:8265\n    - --ulimit"},
        (
            "-p 8265",
            "docker.run_options[0]",
            '"-p 8265:8265" publishes a port to every network; remove it, containers share the host\'s network',
        ),
    ),
    "dashboard open to other hosts": make_case(
        "gpu",
        {"--dashboard-host=127.0.0.1": "--dashboard-host 0.0.0.0"},
        (HEAD_PLACE, HEAD, DASHBOARD),
    ),
    "no token": make_case(
        "onprem",
        {"RAY_AUTH_MODE=token RAY_enable": "RAY_enable", "RAY_AUTH_MODE=token ray start": "ray start"},
        (HEAD_PLACE, HEAD, f"`ray start` without RAY_AUTH_MODE=token: {OPEN_HEAD}"),
        (WORKER_PLACE, WORKER, f"`ray start` without RAY_AUTH_MODE=token: {REJECTED}"),
    ),
    "token on the head only": make_case(
        "onprem",
        {"RAY_AUTH_MODE=token ray start": "ray start"},
        (WORKER_PLACE, WORKER, f"`ray start` without RAY_AUTH_MODE=token: {REJECTED}"),
    ),
    "token disabled": make_case(
        "gpu",
        {"-e RAY_AUTH_MODE=token": "-e RAY_AUTH_MODE=disabled"},
        (HEAD_PLACE, HEAD, f"RAY_AUTH_MODE is disabled: {OPEN_HEAD}"),
        (WORKER_PLACE, WORKER, f"RAY_AUTH_MODE is disabled: {REJECTED}"),
    ),
    "token mode that does not reach Ray": make_case(
        "onprem",
        {
            "RAY_AUTH_MODE=token RAY_enable": "true RAY_AUTH_MODE=token; RAY_enable",
            "RAY_AUTH_MODE=token ray start": "ray start --labels=RAY_AUTH_MODE=token",
        },
        (HEAD_PLACE, HEAD, f"`ray start` without RAY_AUTH_MODE=token: {OPEN_HEAD}"),
        (WORKER_PLACE, WORKER, f"`ray start` without RAY_AUTH_MODE=token: {REJECTED}"),
    ),
    "token that is not sent": make_case(
        "gpu",
        {"  ~/.ray/auth_token: ~/.ray/auth_token": "  ~/token: ~/.ray/auth_token"},
        (
            "file_mounts:",
            'file_mounts."~/.ray/auth_token"',
            "the nodes need the token; add `~/.ray/auth_token: ~/.ray/auth_token` to file_mounts",
        ),
    ),
    "no start commands": make_case(
        "onprem",
        {"\nworker_start_ray_commands:": "\nworker_setup_commands:"},
        ("cluster_name: tcray", "worker_start_ray_commands", "not given; Ray's default starts without a token"),
    ),
    "options of one node type": make_case(
        "gpu",
        {
            "    resources: {CPU: 16": "    docker: {worker_run_options: [-p 80:80, -e RAY_AUTH_MODE=disabled]}\n"
            "    resources: {CPU: 16"
        },
        (
            "-p 80",
            f"{TYPES}.gpus.docker.worker_run_options[0]",
            '"-p 80:80" publishes a port to every network; remove it, containers share the host\'s network',
        ),
        (WORKER_PLACE, WORKER, f"RAY_AUTH_MODE is disabled: {REJECTED}"),
    ),
    "secret in an option": make_case(
        "gpu",
        {"    - --gpus all": "    - --gpus all\n    - -e AWS_SECRET_ACCESS_KEY=abc"},
        ("-e AWS_S", "docker.worker_run_options[1]", secret("AWS_SECRET_ACCESS_KEY")),
    ),
    "secrets elsewhere": make_case(
        "gpu",
        {
            "\nauth:\n": "  aws_credentials: {aws_access_key_id: A, aws_secret_access_key: abc}\nauth:\n",
            "s3://tcray-123456789012": "s3://KEY:SEC/RET@tcray-123456789012",
            "    resources: {CPU: 4": "    worker_setup_commands: [export RAY_AUTH_TOKEN=a]\n    resources: {CPU: 4",
        },
        ("abc", "provider.aws_credentials.aws_secret_access_key", secret("aws_secret_access_key")),
        ("-e TCRAY_STORE", "docker.run_options[3]", secret("the password of a URL")),
        ("export RAY_AUTH", f"{TYPES}.gpu.worker_setup_commands[0]", secret("RAY_AUTH_TOKEN")),
    ),
}

NOTED = {
    "missing file to be sent": make_case(
        "onprem",
        {"  ~/.tcray/source/tcray: tcray": "  ~/.tcray/source/tcray: src/tcray"},
        (
            "src/tcray",
            'file_mounts."~/.tcray/source/tcray"',
            "src/tcray does not exist here; run `ray up` where it is",
        ),
    ),
}


@pytest.mark.parametrize("case", INVALID.values(), ids=INVALID)
def test_errors_are_reported_at_their_position(case: Case) -> None:
    """The errors are exactly the expected ones."""
    assert check_cluster_file(load_edited(case.name, case.edits)).errors == case.problems()


@pytest.mark.parametrize("case", NOTED.values(), ids=NOTED)
def test_notes_are_reported_at_their_position(case: Case) -> None:
    """A note is no error."""
    assert check_cluster_file(load_edited(case.name, case.edits)) == CheckResult((), case.problems())


def test_port_published_on_loopback_is_accepted() -> None:
    """No other host reaches it."""
    edits = {"    - --ulimit": "    - -p 127.0.0.1:8265:8265 --publish=localhost:1:1\n    - --ulimit"}
    assert check_cluster_file(load_edited("gpu", edits)) == CheckResult((), ())


def test_missing_token_is_noted_with_the_command_that_creates_it(checkout: Path) -> None:
    """The token file is not required offline."""
    (checkout / "home" / ".ray" / "auth_token").unlink()
    (note,) = check_cluster_file(load_edited("gpu")).notes
    assert note.message == "~/.ray/auth_token does not exist here; create it with `ray get-auth-token --generate`"


LOCKED = (
    "RAY_AUTH_MODE=token ray start",
    "RAY_AUTH_MODE=token X=$(id -u) ray start --head",
    'A=x RAY_AUTH_MODE="token" ray start > /dev/null',
    "export RAY_AUTH_MODE='token'; true && ray start",
    "if true; then RAY_AUTH_MODE=token ray start; fi",
    "{ RAY_AUTH_MODE=token ray start; }",
    "env RAY_AUTH_MODE=token nohup ray start",
)
UNLOCKED = (
    "true RAY_AUTH_MODE=token; ray start",
    "RAY_AUTH_MODE=token; ray start",
    "RAY_AUTH_MODE=token\nray start",
    "ray start --labels=RAY_AUTH_MODE=token",
    "ray start; RAY_AUTH_MODE=token ray stop",
    "echo RAY_AUTH_MODE=token ray start; ray start",
)


@pytest.mark.parametrize("command", [*LOCKED, *UNLOCKED])
def test_token_mode_is_read_as_bash_reads_it(command: str, tmp_path: Path) -> None:
    """A command is accepted exactly if the first `ray start` that bash runs has RAY_AUTH_MODE=token."""
    ray = tmp_path / "ray"
    ray.write_text('#!/bin/sh\n[ "$1" = start ] && echo "$RAY_AUTH_MODE" > "$SEEN"\ntrue\n')
    ray.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SEEN": str(tmp_path / "seen")}
    subprocess.run(["bash", "-c", command], env=environment, check=True, capture_output=True, cwd=tmp_path)
    is_locked = (tmp_path / "seen").read_text().strip() == "token"
    file = load_edited("onprem")
    assert isinstance(file.config, dict)
    file.config["worker_start_ray_commands"] = [command]
    errors = check_cluster_file(file).errors
    assert (is_locked, not errors) == (command in LOCKED, is_locked)

"""Cluster files with something wrong in them, and every sentence that is to be said of each."""

from __future__ import annotations

import sys
from typing import NamedTuple

from ray import __version__ as ray_version

from tcray import __version__
from tcray.errors import Problem
from tests.cluster.shipped import place, text

PYTHON = ".".join(map(str, sys.version_info[:2]))

TYPES = "available_node_types"


class Said(NamedTuple):
    """A sentence, its path, and its place: where the file says `there`; as `a … b`, where it says b first after a."""

    there: str
    path: str
    message: str


class Spoiled(NamedTuple):
    """A shipped file, changed, and all that is to be said of it."""

    name: str
    changes: dict[str, str]
    said: tuple[Said, ...]

    def problems(self) -> tuple[Problem, ...]:
        """What is to be said, in the order of the file."""
        changed = text(self.name, self.changes)
        return tuple(sorted(Problem(*place(changed, there), path, message) for there, path, message in self.said))


def _spoiled(name: str, changes: dict[str, str], *said: tuple[str, str, str]) -> Spoiled:
    return Spoiled(name, changes, tuple(Said(*one) for one in said))


def _secret(what: str) -> str:
    return f"a secret ({what}), which no file should hold"


MISSING = "required, and missing"
HEAD, WORKER = "head_start_ray_commands[1]", "worker_start_ray_commands[1]"
HEAD_PLACE, WORKER_PLACE = "\nhead_start_ray_commands: … >-", "\nworker_start_ray_commands: … >-"
BEGINNING = "cluster_name: tcray"
IMAGE = f"123456789012.dkr.ecr.us-west-2.amazonaws.com/tcray:{__version__}-cuda"
SPOT = (
    "where the spot market has none, Ray goes on asking for it; "
    "provider tcray.cluster.aws.SpotFirst starts such machines on demand instead"
)
DASHBOARD = "opens the dashboard, which runs whatever it is sent; say --dashboard-host=127.0.0.1"
OPEN_HEAD = "whoever reaches the head can run anything on it"
LOCKED_OUT = "a head that asks for the token turns it away"
AUTOSCALING = "--autoscaling-config=~/ray_bootstrap_config.yaml"
NEWER = "Ray's newer autoscaler counts the head among the workers"
GROUP = """\
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
COUNTED = f"""
max_workers: 3
{TYPES}:
  local.cluster.node: {{min_workers: 2, max_workers: 2, resources: {{}}, node_config: {{}}}}
auth:"""

WRONG = {
    "a key like another": _spoiled(
        "gpu",
        {"\ninitialization_commands:": "\ninitialisation_commands:"},
        (
            "initialisation_commands:",
            "initialisation_commands",
            'no such key; did you mean "initialization_commands"?',
        ),
    ),
    "a key like none": _spoiled(
        "onprem",
        {"rsync_exclude:": "colour:"},
        ("colour:", "colour", "no such key; Ray's launcher knows none like it"),
    ),
    "a key of a node type": _spoiled(
        "gpu",
        {"    min_workers: 0\n    max_workers: 8": "    min_worker: 0\n    max_workers: 8"},
        ("min_worker:", f"{TYPES}.gpu.min_worker", 'no such key; did you mean "min_workers"?'),
    ),
    "keys that are missing": _spoiled(
        "gpu",
        {"cluster_name: tcray-gpu\n": "", "    resources: {CPU: 4, GPU: 1}\n": ""},
        ("provider:", "cluster_name", MISSING),
        ("available_node_types: … gpu:", f"{TYPES}.gpu.resources", MISSING),
    ),
    "a key without which an external provider cannot be": _spoiled(
        "gpu",
        {"cluster_synced_files: []\n": ""},
        (BEGINNING, "cluster_synced_files", f"{MISSING}: Ray has no default beside an external provider"),
    ),
    "values of another kind": _spoiled(
        "gpu",
        {
            "max_workers: 10\nidle_timeout_minutes: 5": "max_workers: eight\nidle_timeout_minutes: -1",
            "CPU: 16": "CPU: .5",
        },
        ("eight", "max_workers", 'expected a whole number, found "eight"'),
        ("idle_timeout_minutes: … -1", "idle_timeout_minutes", "expected at least 0, found -1"),
        ("CPU: .5 … .5", f"{TYPES}.gpus.resources.CPU", "expected a whole number, found 0.5"),
    ),
    "a provider that there is not": _spoiled(
        "onprem",
        {"type: local": "type: locall"},
        ("locall", "provider.type", 'there is no provider "locall"; did you mean "local"?'),
    ),
    "a module that there is not": _spoiled(
        "gpu",
        {"aws.SpotFirst": "aws.SpotFrist"},
        (
            "tcray.cluster.aws.SpotFrist",
            "provider.module",
            'there is no "tcray.cluster.aws.SpotFrist"; did you mean "tcray.cluster.aws.SpotFirst"?',
        ),
    ),
    "a provider's keys": _spoiled(
        "gpu",
        {"  region: us": "  regoin: us", "cache_stopped_nodes:": "cache_stoped_nodes:"},
        ("regoin", "provider.regoin", 'no such key; did you mean "region"?'),
        ("cache_stoped", "provider.cache_stoped_nodes", 'no such key; did you mean "cache_stopped_nodes"?'),
    ),
    "a region that cannot be": _spoiled(
        "gpu",
        {"region: us-west-2": "region: us-west2"},
        ("us-west2", "provider.region", 'expected a region, as us-west-2, found "us-west2"'),
    ),
    "what AWS would not know": _spoiled(
        "gpu",
        {"InstanceType: m5.xlarge": "InstanceTyp: m5.xlarge"},
        ("InstanceTyp:", f"{TYPES}.head.node_config.InstanceTyp", 'no such key; did you mean "InstanceType"?'),
    ),
    "a head that there is not": _spoiled(
        "gpu",
        {"head_node_type: head": "head_node_type: haed"},
        ("haed", "head_node_type", 'there is no node type "haed"; did you mean "head"?'),
    ),
    "no head": _spoiled("gpu", {"head_node_type: head\n": ""}, (BEGINNING, "head_node_type", MISSING)),
    "more at least than at most": _spoiled(
        "gpu",
        {"    min_workers: 0\n    max_workers: 2": "    min_workers: 3\n    max_workers: 2"},
        ("  gpus: … 3", f"{TYPES}.gpus.min_workers", "at least 3, and max_workers allows 2"),
    ),
    "more of each at least than of all at most": _spoiled(
        "gpu",
        {
            "max_workers: 10\nidle": "max_workers: 3\nidle",
            "    min_workers: 0\n    max_workers: 8": "    min_workers: 4",
        },
        ("max_workers: 3 … 3", "max_workers", "at most 3, and the node types' min_workers add up to 4"),
        ("min_workers: 4 … 4", f"{TYPES}.gpu.min_workers", "at least 4, and max_workers allows 3"),
    ),
    "resources that Ray does not know": _spoiled(
        "gpu",
        {"{CPU: 4, GPU: 1}": "{cpu: 4, GPUs: 1, memroy: 1}"},
        ("cpu: 4", f"{TYPES}.gpu.resources.cpu", 'no resource of Ray; did you mean "CPU"?'),
        ("GPUs: 1", f"{TYPES}.gpu.resources.GPUs", 'no resource of Ray; did you mean "GPU"?'),
        ("memroy", f"{TYPES}.gpu.resources.memroy", 'no resource of Ray; did you mean "memory"?'),
    ),
    "more than a machine has": _spoiled(
        "gpu",
        {"{CPU: 4, GPU: 1}": "{CPU: 8, GPU: 4}", "{CPU: 0}": "{CPU: 0, GPU: 2}"},
        ("GPU: 2 … 2", f"{TYPES}.head.resources.GPU", "a m5.xlarge has no GPUs, found 2"),
        ("CPU: 8 … 8", f"{TYPES}.gpu.resources.CPU", "a g5.xlarge has 4 CPUs, found 8"),
        ("CPU: 8, GPU: 4 … 4", f"{TYPES}.gpu.resources.GPU", "a g5.xlarge has 1 GPU, found 4"),
    ),
    "a head that may be taken away": _spoiled(
        "gpu",
        {"InstanceType: m5.xlarge": "InstanceMarketOptions: {MarketType: spot}\n      InstanceType: m5.xlarge"},
        (
            "InstanceMarketOptions",
            f"{TYPES}.head.node_config.InstanceMarketOptions",
            "a head from the spot market: when it is taken away, the cluster is gone",
        ),
    ),
    "an image of another tcray": _spoiled(
        "gpu",
        {IMAGE: "registry.example/tcray:0.0.9-cuda"},
        ("registry.example", "docker.image", f"an image of tcray 0.0.9, and this is tcray {__version__}"),
    ),
    "an image without CUDA": _spoiled(
        "gpu",
        {IMAGE: f"registry.example/tcray:{__version__}-cpu"},
        ("registry.example", "docker.image", "an image without CUDA, for machines with GPUs"),
    ),
    "an image of another Ray and an old Python": _spoiled(
        "gpu",
        {IMAGE: "rayproject/ray:2.40.0-py310-gpu"},
        ("rayproject", "docker.image", "Python 3.10, and tcray needs 3.11 or newer"),
        ("rayproject", "docker.image", f"Ray 2.40.0, and here it is Ray {ray_version}"),
    ),
    "commands that install other versions": _spoiled(
        "gpu",
        {"\nsetup_commands: []": "\nsetup_commands: [python3.10 -m venv v, pip install tcray==0.1 ray==2.9.3]"},
        ("python3.10", "setup_commands[0]", "Python 3.10, and tcray needs 3.11 or newer"),
        ("pip install tcray=", "setup_commands[1]", f"Ray 2.9.3, and here it is Ray {ray_version}"),
        ("pip install tcray=", "setup_commands[1]", f"tcray 0.1, and here it is tcray {__version__}"),
    ),
    "a type without CPUs": _spoiled(
        "gpu",
        {"{CPU: 4, GPU: 1}": "{GPU: 1}"},
        ("gpu: … resources", f"{TYPES}.gpu.resources.CPU", f"{MISSING}: no such machine would be started for a pack"),
    ),
    "no security group": _spoiled(
        "gpu",
        {"SecurityGroupIds: [sg-0123456789abcdef0]": "EbsOptimized: true"},
        *(
            (
                f"  {name}: … node_config",
                f"{TYPES}.{name}.node_config.SecurityGroupIds",
                f"{MISSING}: Ray would make a group that opens port 22 to the world",
            )
            for name in ("head", "gpu", "gpus")
        ),
    ),
    "ports open to the world": _spoiled(
        "gpu",
        {"\nauth:\n": f"{GROUP}auth:\n"},
        ("{FromPort: 8265", "provider.security_group.IpPermissions[1]", "opens port 8265 to the world (0.0.0.0/0)"),
        ("{FromPort: 0,", "provider.security_group.IpPermissions[2]", "opens ports 0 to 65535 to the world (::/0)"),
        ("{IpProtocol:", "provider.security_group.IpPermissions[3]", "opens every port to the world (0.0.0.0/0)"),
    ),
    "a published port": _spoiled(
        "gpu",
        {"    - --ulimit": "    - -p 8265:8265\n    - --ulimit"},
        (
            "-p 8265",
            "docker.run_options[0]",
            '"-p 8265:8265" publishes a port to every network; take it out: containers share the host\'s network',
        ),
    ),
    "a dashboard for everybody": _spoiled(
        "gpu",
        {"--dashboard-host=127.0.0.1": "--dashboard-host 0.0.0.0"},
        (HEAD_PLACE, HEAD, f"--dashboard-host=0.0.0.0 {DASHBOARD}"),
    ),
    "no password": _spoiled(
        "onprem",
        {"RAY_AUTH_MODE=token RAY_enable": "RAY_enable", "RAY_AUTH_MODE=token ray start": "ray start"},
        (HEAD_PLACE, HEAD, f"`ray start` without RAY_AUTH_MODE=token: {OPEN_HEAD}"),
        (WORKER_PLACE, WORKER, f"`ray start` without RAY_AUTH_MODE=token: {LOCKED_OUT}"),
    ),
    "a password on one side": _spoiled(
        "onprem",
        {"RAY_AUTH_MODE=token ray start": "ray start"},
        (WORKER_PLACE, WORKER, f"`ray start` without RAY_AUTH_MODE=token: {LOCKED_OUT}"),
    ),
    "a password switched off": _spoiled(
        "gpu",
        {"-e RAY_AUTH_MODE=token": "-e RAY_AUTH_MODE=disabled"},
        (HEAD_PLACE, HEAD, f"RAY_AUTH_MODE is disabled, not token: {OPEN_HEAD}"),
        (WORKER_PLACE, WORKER, f"RAY_AUTH_MODE is disabled, not token: {LOCKED_OUT}"),
    ),
    "a token that stays here": _spoiled(
        "gpu",
        {"  ~/.ray/auth_token: ~/.ray/auth_token": "  ~/token: ~/.ray/auth_token"},
        (
            "file_mounts:",
            'file_mounts."~/.ray/auth_token"',
            "the machines need the token; say `~/.ray/auth_token: ~/.ray/auth_token` in file_mounts",
        ),
    ),
    "a secret": _spoiled(
        "gpu",
        {"    - --gpus all": "    - --gpus all\n    - -e AWS_SECRET_ACCESS_KEY=abc"},
        ("-e AWS_S", "docker.worker_run_options[1]", "a secret (AWS_SECRET_ACCESS_KEY), which no file should hold"),
    ),
    "a head that starts no workers": _spoiled(
        "gpu",
        {"    --autoscaling-config=~/ray_bootstrap_config.yaml\n": ""},
        (
            HEAD_PLACE,
            HEAD,
            f"`ray start` without --autoscaling-config never starts a worker; say {AUTOSCALING}",
        ),
    ),
    "workers that stay alone": _spoiled(
        "onprem",
        {" --address=$RAY_HEAD_IP:6379": ""},
        (
            WORKER_PLACE,
            WORKER,
            "`ray start` without --address does not find the head; say --address=$RAY_HEAD_IP:6379",
        ),
    ),
    "no commands of one's own": _spoiled(
        "onprem",
        {"\nworker_start_ray_commands:": "\nworker_setup_commands:"},
        (BEGINNING, "worker_start_ray_commands", "not given, and Ray's own start without a token"),
    ),
    "commands that start nothing": _spoiled(
        "gpu",
        {"    ray start --address=$RAY_HEAD_IP:6379": "    true"},
        ("\nworker_start_ray_commands: … - ray", "worker_start_ray_commands", "none of the commands says `ray start`"),
    ),
    "addresses that are missing": _spoiled(
        "onprem",
        {"  head_ip: 10.0.0.1 # the head's": "  # the head's", "  worker_ips: [": "  worker: ["},
        ("provider:", "provider.head_ip", MISSING),
        ("worker: [", "provider.worker", 'no such key; did you mean "worker_ips"?'),
    ),
    "addresses that stand there twice": _spoiled(
        "onprem",
        {"[10.0.0.2, 10.0.0.3]": "[10.0.0.1, 10.0.0.2, 10.0.0.2]"},
        ("[10.0.0.1 … 10", "provider.worker_ips[0]", "10.0.0.1 is the head, which computes without being named here"),
        ("10.0.0.2]", "provider.worker_ips[2]", "10.0.0.2 is given twice"),
    ),
    "fewer workers than there are": _spoiled(
        "onprem",
        {"\nauth:": "\nmax_workers: 1\nauth:"},
        ("max_workers: … 1", "max_workers", "at most 1, and 2 workers are to be up"),
    ),
    "an autoscaler that miscounts": _spoiled(
        "onprem",
        {" RAY_enable_autoscaler_v2=0": ""},
        (
            HEAD_PLACE,
            HEAD,
            f"{NEWER}, and leaves one out; say RAY_enable_autoscaler_v2=0 before `ray start`",
        ),
    ),
    "counts off by the head": _spoiled(
        "onprem",
        {" RAY_enable_autoscaler_v2=0": "", "\nauth:": COUNTED},
        (
            "{min_workers: … 2",
            f"{TYPES}.local.cluster.node.min_workers",
            f"{NEWER}: expected 3 for these 2 and the head, found 2",
        ),
    ),
    "nobody to come in as": _spoiled(
        "onprem", {"ssh_user: me": "ssh_proxy_command: me"}, ("auth:", "auth.ssh_user", MISSING)
    ),
    "a container without a name": _spoiled(
        "gpu", {"  container_name: tcray\n": ""}, ("docker:", "docker.container_name", MISSING)
    ),
    "a container without an image": _spoiled("gpu", {f"  image: {IMAGE}": "  "}, ("docker:", "docker.image", MISSING)),
    "what Ray's launcher alone refuses": _spoiled(
        "onprem",
        {"\nauth:": "\navailable_node_types: {own: {resources: {}, node_config: {}}}\nhead_node_type: own\nauth:"},
        (
            BEGINNING,
            "",
            "Ray's launcher refuses it: The field available_node_types is not supported for on-premise clusters.",
        ),
    ),
    "a module that Ray does not read": _spoiled(
        "gpu",
        {"  type: external": "  type: aws"},
        ("module:", "provider.module", "Ray reads it only where provider.type is external"),
    ),
    "names that cannot be": _spoiled(
        "gpu",
        {
            "cluster_name: tcray-gpu": "cluster_name: a/b",
            "container_name: tcray": "container_name: a b",
            IMAGE: "a/b :1",
        },
        ("a/b", "cluster_name", 'expected letters, digits, ., _ and - alone, found "a/b"'),
        ("container_name: … a b", "docker.container_name", 'expected letters, digits, ., _ and - alone, found "a b"'),
        (
            "a/b :1",
            "docker.image",
            f'expected the name of an image, as registry.example/tcray:{__version__}, found "a/b :1"',
        ),
    ),
    "growth that never begins": _spoiled(
        "gpu",
        {"upscaling_speed: 8": "upscaling_speed: 0"},
        ("upscaling_speed: … 0", "upscaling_speed", "expected more than 0, found 0"),
    ),
    "lines that are no texts": _spoiled(
        "gpu",
        {"    - --gpus all": "    - 5", "  ~/.ray/auth_token: ~/.ray/auth_token": "  ~/.ray/auth_token: [x]"},
        ("    - 5 … 5", "docker.worker_run_options[0]", "expected a text, found 5"),
        ("[x]", 'file_mounts."~/.ray/auth_token"', "expected a text, found a list"),
    ),
    "what AWS cannot make anything of": _spoiled(
        "gpu",
        {
            "InstanceType: m5.xlarge": "InstanceType: 5",
            "SecurityGroupIds: [sg-0123456789abcdef0]": "SecurityGroupIds: x",
        }
        | {"      <<: *machine\n": "      <<: *machine\n      Colour: red\n"},
        ("5\n      # the newest", f"{TYPES}.head.node_config.InstanceType", "expected a text, found 5"),
        (
            "SecurityGroupIds: … x",
            f"{TYPES}.head.node_config.SecurityGroupIds",
            'expected a list, found "x"',
        ),
        (
            "Colour",
            f"{TYPES}.gpu.node_config.Colour",
            "no such key; AWS's RunInstances knows none like it",
        ),
    ),
    "a list of no security groups": _spoiled(
        "gpu",
        {"SecurityGroupIds: [sg-0123456789abcdef0]": "SecurityGroupIds: []"},
        (
            "SecurityGroupIds: … []",
            f"{TYPES}.head.node_config.SecurityGroupIds",
            "expected the ids of security groups, at least of one",
        ),
    ),
    "an AMI for other processors": _spoiled(
        "gpu",
        {"InstanceType: m5.xlarge": "InstanceType: m7g.xlarge"},
        (
            "resolve:ssm",
            f"{TYPES}.head.node_config.ImageId",
            "made for x86_64, and a m7g.xlarge is a machine for arm64",
        ),
    ),
    "workers of the head's type": _spoiled(
        "gpu",
        {"    resources: {CPU: 0}": "    min_workers: 2\n    max_workers: 3\n    resources: {CPU: 0}"},
        (
            "max_workers: 3 … 3",
            f"{TYPES}.head.max_workers",
            "the head is the only machine of its type; give workers a type of their own",
        ),
    ),
    "no node types": _spoiled(
        "gpu",
        {
            text("gpu").partition("\navailable_node_types:")[2].partition("\n# On the machine")[0]: " {}\n",
        },
        (
            f"{TYPES}: … {{}}",
            TYPES,
            "expected the type of the head, and those of the workers; found none",
        ),
    ),
    "networks that are the world in other words": _spoiled(
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
    "secrets under other names": _spoiled(
        "gpu",
        {
            "\nauth:\n": "  aws_credentials: {aws_access_key_id: A, aws_secret_access_key: abc}\nauth:\n",
            "s3://tcray-123456789012": "s3://KEY:SEC/RET@tcray-123456789012",
            "    resources: {CPU: 4": "    worker_setup_commands: [export RAY_AUTH_TOKEN=a]\n    resources: {CPU: 4",
        },
        ("abc", "provider.aws_credentials.aws_secret_access_key", _secret("aws_secret_access_key")),
        ("-e TCRAY_STORE", "docker.run_options[3]", _secret("the password of an address")),
        ("export RAY_AUTH", f"{TYPES}.gpu.worker_setup_commands[0]", _secret("RAY_AUTH_TOKEN")),
    ),
    "what one type says of itself": _spoiled(
        "gpu",
        {
            "    resources: {CPU: 16": "    docker: {worker_run_options: [-p 80:80, -e RAY_AUTH_MODE=disabled]}\n"
            "    worker_setup_commands: [pip install ray==2.9.3]\n    resources: {CPU: 16"
        },
        (
            "-p 80",
            f"{TYPES}.gpus.docker.worker_run_options[0]",
            '"-p 80:80" publishes a port to every network; take it out: containers share the host\'s network',
        ),
        (
            "pip install ray=",
            f"{TYPES}.gpus.worker_setup_commands[0]",
            f"Ray 2.9.3, and here it is Ray {ray_version}",
        ),
        (WORKER_PLACE, WORKER, f"RAY_AUTH_MODE is disabled, not token: {LOCKED_OUT}"),
    ),
    "a password that Ray does not hear": _spoiled(
        "onprem",
        {
            "RAY_AUTH_MODE=token RAY_enable": "true RAY_AUTH_MODE=token; RAY_enable",
            "RAY_AUTH_MODE=token ray start": "ray start --labels=RAY_AUTH_MODE=token",
        },
        (HEAD_PLACE, HEAD, f"`ray start` without RAY_AUTH_MODE=token: {OPEN_HEAD}"),
        (WORKER_PLACE, WORKER, f"`ray start` without RAY_AUTH_MODE=token: {LOCKED_OUT}"),
    ),
    "commands that are one text": _spoiled(
        "onprem",
        {"\nworker_start_ray_commands:": "\nworker_start_ray_commands: ray start\nworker_setup_commands:"},
        ("ray start\nworker", "worker_start_ray_commands", 'expected a list, found "ray start"'),
    ),
    "commands that are nothing": _spoiled(
        "onprem",
        {"\nworker_start_ray_commands:": "\nworker_start_ray_commands: null\nworker_setup_commands:"},
        ("worker_start_ray_commands: … null", "worker_start_ray_commands", "expected a list, found nothing"),
    ),
    "options that are one text": _spoiled(
        "gpu",
        {
            "  run_options:\n": "  run_options: -e RAY_AUTH_MODE=token\n  head_run_options:\n",
            "    - -e RAY_AUTH_MODE=token #": "    - --init #",
        },
        ("  run_options: … -e", "docker.run_options", 'expected a list, found "-e RAY_AUTH_MODE=token"'),
    ),
    "a machine that is one text": _spoiled(
        "gpu",
        {"    node_config:\n      <<: *worker\n      InstanceType: g5.12xlarge": "    node_config: x"},
        ("node_config: x … x", f"{TYPES}.gpus.node_config", 'expected a mapping, found "x"'),
    ),
    "more workers than addresses": _spoiled(
        "onprem",
        {"\nauth:": "\nmin_workers: 99\nauth:"},
        ("99", "min_workers", "at least 99, and worker_ips has 2"),
    ),
    "workers that are no number": _spoiled(
        "onprem",
        {"\nauth:": "\nmin_workers: x\nauth:"},
        ("min_workers: … x", "min_workers", 'expected a whole number, found "x"'),
    ),
    "addresses that are none": _spoiled(
        "onprem",
        {"[10.0.0.2, 10.0.0.3]": "[10, 1.5, {a: b}, c d]"},
        ("[10, … 10", "provider.worker_ips[0]", "expected a text, found 10"),
        ("1.5", "provider.worker_ips[1]", "expected a text, found 1.5"),
        ("{a", "provider.worker_ips[2]", "expected a text, found a mapping"),
        ("c d", "provider.worker_ips[3]", 'expected an address, found "c d"'),
    ),
}
"""Files with which no cluster should be brought up, and all that is wrong with each."""

NOTED = {
    "a machine that is not known here": _spoiled(
        "gpu",
        {"g5.12xlarge": "g9.12xlarge"},
        (
            "g9.12xlarge",
            f"{TYPES}.gpus.node_config.InstanceType",
            "what a g9.12xlarge has is not known here: the resources were not checked against it",
        ),
    ),
    "cards that lie idle": _spoiled(
        "gpu",
        {"GPU: 4": "GPU: 3"},
        ("{CPU: 16", f"{TYPES}.gpus.resources", "declares 3 of the GPUs of a g5.12xlarge, which has 4"),
    ),
    "more of one type than of all": _spoiled(
        "gpu",
        {"max_workers: 10\nidle": "max_workers: 4\nidle"},
        (
            "  gpu: … 8\n",
            f"{TYPES}.gpu.max_workers",
            "at most 8 of this type, and at most 4 of all types together",
        ),
    ),
    "spot machines that nothing stands in for": _spoiled(
        "gpu",
        {"type: external\n  module: tcray.cluster.aws.SpotFirst": "type: aws"},
        ("InstanceMarketOptions: … {", f"{TYPES}.gpu.node_config.InstanceMarketOptions", SPOT),
        ("InstanceMarketOptions: … {", f"{TYPES}.gpus.node_config.InstanceMarketOptions", SPOT),
    ),
    "workers without a right to the store": _spoiled(
        "gpu",
        {"      IamInstanceProfile: {Name: tcray-worker}\n": "", "      IamInstanceProfile: {Name: tcray-head}\n": ""},
        *(
            (
                f"  {name}: … {first}",
                f"{TYPES}.{name}.node_config",
                "no IamInstanceProfile: what its packs leave goes to the store through the head",
            )
            for name, first in (("gpu", "&worker"), ("gpus", "<<"))
        ),
    ),
    "a store that goes with the head": _spoiled(
        "gpu",
        {"    - -e TCRAY_STORE=s3://tcray-123456789012-us-west-2/trials # the table's Bucket\n": ""},
        ("image:", "docker", "no TCRAY_STORE: stores are on the head's own disk, and gone with it"),
    ),
    "machines that are kept": _spoiled(
        "gpu",
        {"cache_stopped_nodes: false": "cache_stopped_nodes: true"},
        (
            "cache_stopped_nodes: … true",
            "provider.cache_stopped_nodes",
            "`ray down` stops machines and keeps them, with disks that go on costing; false ends them",
        ),
    ),
    "an image that may change": _spoiled(
        "gpu",
        {IMAGE: "registry.example/tcray:latest"},
        (
            "registry.example",
            "docker.image",
            "the image is not pinned to a version: machines that start later may get another one",
        ),
    ),
    "another Python": _spoiled(
        "onprem",
        {"python3 -m venv": "python3.99 -m venv"},
        ("\nsetup_commands: … >-", "setup_commands[1]", f"Python 3.99 there, and {PYTHON} here"),
    ),
    "half of a file that was moved": _spoiled(
        "gpu",
        {"region: us-west-2 #": "region: eu-west-1 #"},
        (
            "\ninitialization_commands: … >-",
            "initialization_commands[2]",
            "names us-west-2, and provider.region is eu-west-1",
        ),
    ),
    "a server that nobody needs": _spoiled(
        "onprem",
        {"--port=6379\n    --dashboard": "--ray-client-server-port=10001\n    --dashboard"},
        (HEAD_PLACE, HEAD, "Ray's client server listens on port 10001; tcray does without it"),
    ),
    "files that are not here": _spoiled(
        "onprem",
        {"  ~/.tcray/source/tcray: tcray": "  ~/.tcray/source/tcray: src/tcray"},
        (
            "src/tcray",
            'file_mounts."~/.tcray/source/tcray"',
            "there is no src/tcray here; `ray up` has to be said where it is",
        ),
    ),
    "workers that are not wanted at once": _spoiled(
        "onprem",
        {"\nauth:": "\nmin_workers: 1\nauth:"},
        ("min_workers: … 1", "min_workers", "at first 1 of the 2 workers, and more when packs wait for them"),
    ),
    "a machine with other processors": _spoiled(
        "gpu",
        {
            "InstanceType: m5.xlarge": "InstanceType: m7g.xlarge",
            "ami/x86_64/base": "ami/base",
        },
        (
            "m7g.xlarge",
            f"{TYPES}.head.node_config.InstanceType",
            "a machine for arm64: its AMI and the image have to be made for that",
        ),
    ),
    "a provider that is not known here": _spoiled(
        "gpu",
        {"tcray.cluster.aws.SpotFirst": "mine.Provider"},
        (
            "mine",
            "provider.module",
            "of this provider only Ray's schema is checked: of its machines nothing is known here",
        ),
    ),
    "another cloud": _spoiled(
        "gpu",
        {"type: external\n  module: tcray.cluster.aws.SpotFirst": "type: gcp"},
        (
            "gcp",
            "provider.type",
            "of this provider only Ray's schema is checked: of its machines nothing is known here",
        ),
    ),
}
"""Files with which nothing is wrong, and all that is noted of each."""

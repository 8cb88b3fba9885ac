"""Resources of node types and addresses of hosts, each problem reported at its line and column."""

from __future__ import annotations

import pytest

from tcray.cluster.check import CheckResult, check_cluster_file
from tests.cluster.factories import Case, load_edited, make_case

pytestmark = pytest.mark.usefixtures("checkout")

MISSING = "required, and missing"
TYPES = "available_node_types"
SPOT_FIRST = "tcray.cluster.ray.spot_first.SpotFirst"

INVALID = {
    "misspelled resources": make_case(
        "gpu",
        {"{CPU: 4, GPU: 1}": "{cpu: 4, GPUs: 1, memroy: 1}"},
        ("cpu: 4", f"{TYPES}.gpu.resources.cpu", 'no resource of Ray; did you mean "CPU"?'),
        ("GPUs: 1", f"{TYPES}.gpu.resources.GPUs", 'no resource of Ray; did you mean "GPU"?'),
        ("memroy", f"{TYPES}.gpu.resources.memroy", 'no resource of Ray; did you mean "memory"?'),
    ),
    "more resources than the instance has": make_case(
        "gpu",
        {"{CPU: 4, GPU: 1}": "{CPU: 8, GPU: 4}", "{CPU: 0}": "{CPU: 0, GPU: 2}"},
        ("GPU: 2 … 2", f"{TYPES}.head.resources.GPU", "m5.xlarge has no GPUs, found 2"),
        ("CPU: 8 … 8", f"{TYPES}.gpu.resources.CPU", "g5.xlarge has 4 CPUs, found 8"),
        ("CPU: 8, GPU: 4 … 4", f"{TYPES}.gpu.resources.GPU", "g5.xlarge has 1 GPU, found 4"),
    ),
    "node type without CPUs": make_case(
        "gpu",
        {"{CPU: 4, GPU: 1}": "{GPU: 1}"},
        ("gpu: … resources", f"{TYPES}.gpu.resources.CPU", f"{MISSING}: no such node would be started for a pack"),
    ),
    "missing addresses": make_case(
        "onprem",
        {"  head_ip: 10.0.0.1 # the head's": "  # the head's", "  worker_ips: [": "  worker: ["},
        ("provider:", "provider.head_ip", MISSING),
        ("worker: [", "provider.worker", 'no such key; did you mean "worker_ips"?'),
    ),
    "duplicate addresses": make_case(
        "onprem",
        {"[10.0.0.2, 10.0.0.3]": "[10.0.0.1, 10.0.0.2, 10.0.0.2]"},
        (
            "[10.0.0.1 … 10",
            "provider.worker_ips[0]",
            "10.0.0.1 is the head, which also runs packs; remove it from worker_ips",
        ),
        ("10.0.0.2]", "provider.worker_ips[2]", "10.0.0.2 is given twice"),
    ),
    "values that are no addresses": make_case(
        "onprem",
        {"[10.0.0.2, 10.0.0.3]": "[10, 1.5, {a: b}, c d]"},
        ("[10, … 10", "provider.worker_ips[0]", "expected an address, found 10"),
        ("1.5", "provider.worker_ips[1]", "expected an address, found 1.5"),
        ("{a", "provider.worker_ips[2]", "expected an address, found a mapping"),
        ("c d", "provider.worker_ips[3]", 'expected an address, found "c d"'),
    ),
    "no ssh user": make_case("onprem", {"ssh_user: me": "ssh_proxy_command: me"}, ("auth:", "auth.ssh_user", MISSING)),
}

NOTED = {
    "unknown instance type": make_case(
        "gpu",
        {"g5.12xlarge": "g9.12xlarge"},
        (
            "g9.12xlarge",
            f"{TYPES}.gpus.node_config.InstanceType",
            "g9.12xlarge is not in tcray's list of instance types; its resources were not checked",
        ),
    ),
    "unused GPUs": make_case(
        "gpu",
        {"GPU: 4": "GPU: 3"},
        (
            "{CPU: 16",
            f"{TYPES}.gpus.resources",
            "declares 3 GPUs, and g5.12xlarge has 4; you pay for all of them",
        ),
    ),
    "stopped instances that are kept": make_case(
        "gpu",
        {"cache_stopped_nodes: false": "cache_stopped_nodes: true"},
        (
            "cache_stopped_nodes: … true",
            "provider.cache_stopped_nodes",
            "`ray down` stops instances and keeps their disks, which cost money; false terminates them",
        ),
    ),
    "other provider": make_case(
        "gpu",
        {SPOT_FIRST: "mine.Provider"},
        ("mine", "provider.module", "only Ray's schema is checked for this provider; its machines are not"),
    ),
    "other cloud": make_case(
        "gpu",
        {f"type: external\n  module: {SPOT_FIRST}": "type: gcp"},
        ("gcp", "provider.type", "only Ray's schema is checked for this provider; its machines are not"),
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

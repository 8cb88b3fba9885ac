"""Reading of cluster files: values as Ray reads them, and their positions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.cluster.cluster_file import load_cluster_file
from tcray.errors import ConfigError, Problem

MERGED = """\
cluster_name: x
types:
  a: &a
    disk: {size: 1}
    image: i
  b:
    <<: *a
    image: j
  c:
    <<: [{speed: 3}, *a]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change into an empty folder."""
    monkeypatch.chdir(tmp_path)


def write_file(text: str) -> str:
    """Write a cluster file and return its path."""
    Path("x.yaml").write_text(text, encoding="utf-8")
    return "x.yaml"


def read_errors(path: str) -> str:
    """Return the message of the ConfigError for the file at `path`."""
    with pytest.raises(ConfigError) as caught:
        load_cluster_file(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_values_are_those_of_yaml_1_1() -> None:
    """Ray reads YAML 1.1, in which `yes` is a boolean and `<<` merges mappings."""
    file = load_cluster_file(write_file(MERGED + "provider: {type: local, use_internal_ips: yes}\n"))
    assert file.value("provider", "use_internal_ips") is True
    assert file.mapping("types", "b") == {"disk": {"size": 1}, "image": "j"}
    assert file.mapping("types", "c") == {"disk": {"size": 1}, "image": "i", "speed": 3}


def test_missing_values_are_empty() -> None:
    """Values of another type count as missing."""
    file = load_cluster_file(write_file("docker: [a, 1]\nname: x\n"))
    assert file.value("docker", "image") is None
    assert file.value("name", "first") is None
    assert file.value("docker", 2) is None
    assert (file.mapping("docker"), file.strings("name"), file.string("docker")) == ({}, [], "")
    assert file.strings("docker") == ["a", ""]


def test_every_value_has_a_position() -> None:
    """A merged value has its original position; a missing one that of the mapping around it."""
    file = load_cluster_file(write_file(MERGED))
    places = {
        ("types", "b", "image"): (8, 12, "types.b.image"),
        ("types", "b", "disk", "size"): (4, 18, "types.b.disk.size"),
        ("types", "c", "speed"): (10, 18, "types.c.speed"),
        ("types", "c", "disk"): (4, 11, "types.c.disk"),
        ("types", "c", "memory"): (10, 5, "types.c"),
        ("docker", "image"): (1, 1, ""),
    }
    found = {keys: file.node(*keys) for keys in places}
    assert {keys: (node.place.line, node.place.column, node.path) for keys, node in found.items()} == places


def test_placeholders_are_listed_with_the_comment_of_their_line() -> None:
    """A merged placeholder is listed once; a placeholder may be a part of a value."""
    text = MERGED.replace("image: i", "image: FILL_IN # the image\n    store: s3://FILL_IN/trials")
    file = load_cluster_file(write_file(text))
    assert file.unfilled == (
        Problem(5, 12, "types.a.image", "to be filled in: the image"),
        Problem(6, 12, "types.a.store", "to be filled in"),
    )
    with pytest.raises(ConfigError) as caught:
        file.require_filled()
    assert caught.value.problems == file.unfilled
    load_cluster_file(write_file(MERGED)).require_filled()


def test_missing_file_is_reported_with_the_nearest_name() -> None:
    """Names are searched in the same folder and in cluster/."""
    Path("cluster").mkdir()
    Path("cluster/gpu.yaml").touch()
    assert read_errors("cluster/gpus.yaml") == 'cluster/gpus.yaml: no such file; did you mean "cluster/gpu.yaml"?'
    assert read_errors("gpu") == 'gpu: no such file; did you mean "cluster/gpu.yaml"?'
    assert read_errors("desk.yaml") == "desk.yaml: no such file"


def test_file_that_is_no_text_is_rejected() -> None:
    """Examples are a folder, a binary file and a huge file."""
    Path("folder").mkdir()
    assert read_errors("folder") == "folder: a folder, not a cluster file"
    Path("x.yaml").write_bytes(b"PAR1\x00\x15")
    assert read_errors("x.yaml") == "x.yaml: a binary file, not a cluster file"
    Path("x.yaml").write_bytes(b"#" * 1_000_001)
    assert read_errors("x.yaml") == "x.yaml: larger than 1 MB, too large for a cluster file"


def test_file_that_is_no_mapping_is_rejected() -> None:
    """Examples are an empty file, a list, a text and two documents."""
    assert (
        read_errors(write_file("# nothing\n"))
        == "x.yaml:1:1: the file is empty; a cluster needs cluster_name and provider"
    )
    assert read_errors(write_file("- a\n")) == "x.yaml:1:1: expected keys, as in cluster_name: tcray, found a list"
    assert read_errors(write_file("tcray\n")) == 'x.yaml:1:1: expected keys, as in cluster_name: tcray, found "tcray"'
    assert read_errors(write_file("a: 1\n---\nb: 1\n")).startswith("x.yaml:2:1: not valid YAML: ")


def test_alias_bomb_is_rejected() -> None:
    """Nine levels of nine aliases each are more values than any file needs."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    assert read_errors(write_file("\n".join(lines))).endswith("more than 10,000 values, aliases followed")


def test_file_that_is_invalid_in_yaml_1_1_only_is_rejected() -> None:
    """Examples are the merge of a value that is no mapping, and an impossible date."""
    assert read_errors(write_file("a:\n  <<: 3\n")).startswith(
        "x.yaml:2:7: not valid YAML: expected a mapping or list of mappings"
    )
    assert read_errors(write_file("a: 2026-99-99\n")).startswith(
        "x.yaml: not valid YAML 1.1, which Ray reads: month must be in"
    )


def test_tag_is_rejected() -> None:
    """A file with commands may contain plain values only."""
    assert read_errors(write_file("a: !!python/name:os.system x\n")) == (
        'x.yaml:1:4: a tag ("tag:yaml.org,2002:python/name:os.system"); only plain values are allowed'
    )


@pytest.mark.parametrize("number", ["1" + "0" * 400, "0x" + "f" * 5000, ".inf", "-1.0e+300", ".nan", "1.0e+15"])
def test_number_that_ray_cannot_represent_is_rejected(number: str) -> None:
    """Ray counts ten-thousandths in 64 bits; values and keys are checked."""
    sentence = "Ray cannot represent this number; expected at most 15 digits"
    assert read_errors(write_file(f"a: 1\nb: [{number}]\n")) == f"x.yaml:2:5: b[0]: {sentence}"
    assert read_errors(write_file(f"a: 1\nb:\n  ? {number}\n  : c\n")) == f"x.yaml:3:3: b: {sentence}"


def test_key_that_is_no_string_is_rejected() -> None:
    """Ray would read a number or a boolean; the position is the start of the mapping."""
    assert read_errors(write_file("on: 1\ntypes:\n  a: {5: x}\n")).splitlines() == [
        "x.yaml:1:1: the key True is not a string in YAML 1.1, which Ray reads; quote it",
        "x.yaml:3:3: types.a: the key 5 is not a string in YAML 1.1, which Ray reads; quote it",
    ]
    assert load_cluster_file(write_file("'on': 1\n'5': x\n")).config == {"on": 1, "5": "x"}

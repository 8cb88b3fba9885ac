"""What a cluster file says, and where."""

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
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)


def written(text: str) -> str:
    """The path of a file that says this."""
    Path("x.yaml").write_text(text, encoding="utf-8")
    return "x.yaml"


def said(path: str) -> str:
    """What is wrong with the file at `path`."""
    with pytest.raises(ConfigError) as caught:
        load_cluster_file(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_file_is_read_as_ray_reads_it() -> None:
    """By YAML 1.1, with its words for yes and no, and its merged mappings."""
    file = load_cluster_file(written(MERGED + "provider: {type: local, use_internal_ips: yes}\n"))
    assert file.value("provider", "use_internal_ips") is True
    assert file.mapping("types", "b") == {"disk": {"size": 1}, "image": "j"}
    assert file.mapping("types", "c") == {"disk": {"size": 1}, "image": "i", "speed": 3}


def test_what_is_not_there_is_nothing() -> None:
    """Whatever stands in its place."""
    file = load_cluster_file(written("docker: [a, 1]\nname: x\n"))
    assert file.value("docker", "image") is None
    assert file.value("name", "first") is None
    assert file.value("docker", 2) is None
    assert (file.mapping("docker"), file.strings("name"), file.string("docker")) == ({}, [], "")
    assert file.strings("docker") == ["a", ""]


def test_every_value_has_a_place() -> None:
    """One that is merged, where it was written; one that is not there, the mapping it would be in."""
    file = load_cluster_file(written(MERGED))
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


def test_what_is_not_filled_in_is_listed_once_with_what_the_file_asks_for() -> None:
    """However often it is merged; a value may hold it among other things."""
    text = MERGED.replace("image: i", "image: FILL_IN # the image\n    store: s3://FILL_IN/trials")
    file = load_cluster_file(written(text))
    assert file.unfilled == (
        Problem(5, 12, "types.a.image", "to be filled in: the image"),
        Problem(6, 12, "types.a.store", "to be filled in"),
    )
    with pytest.raises(ConfigError) as caught:
        file.require_filled()
    assert caught.value.problems == file.unfilled
    load_cluster_file(written(MERGED)).require_filled()


def test_a_missing_file_hears_of_the_nearest_one_beside_it_or_in_cluster() -> None:
    """As a sweep file does."""
    Path("cluster").mkdir()
    Path("cluster/gpu.yaml").touch()
    assert said("cluster/gpus.yaml") == 'cluster/gpus.yaml: no such file; did you mean "cluster/gpu.yaml"?'
    assert said("gpu") == 'gpu: no such file; did you mean "cluster/gpu.yaml"?'
    assert said("desk.yaml") == "desk.yaml: no such file"


def test_what_is_no_text_file_is_told() -> None:
    """A folder, a binary file, a huge file."""
    Path("folder").mkdir()
    assert said("folder") == "folder: a folder, not a cluster file"
    Path("x.yaml").write_bytes(b"PAR1\x00\x15")
    assert said("x.yaml") == "x.yaml: a binary file, not a cluster file"
    Path("x.yaml").write_bytes(b"#" * 1_000_001)
    assert said("x.yaml") == "x.yaml: larger than 1 MB, too large for a cluster file"


def test_what_is_no_mapping_is_told() -> None:
    """Nothing, a list, a text, two documents."""
    assert said(written("# nothing\n")) == "x.yaml:1:1: the file is empty; a cluster needs cluster_name and provider"
    assert said(written("- a\n")) == "x.yaml:1:1: expected keys, as in cluster_name: tcray, found a list"
    assert said(written("tcray\n")) == 'x.yaml:1:1: expected keys, as in cluster_name: tcray, found "tcray"'
    assert said(written("a: 1\n---\nb: 1\n")).startswith("x.yaml:2:1: not valid YAML: ")


def test_a_bomb_does_not_go_off() -> None:
    """Nine levels of nine aliases each are more values than any file needs."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    assert said(written("\n".join(lines))).endswith("more than 10,000 values, aliases followed")


def test_what_only_yaml_1_1_makes_something_of_is_told() -> None:
    """A merge of what is no mapping, and a date that is none: Ray could not read them."""
    assert said(written("a:\n  <<: 3\n")).startswith(
        "x.yaml:2:7: not valid YAML: expected a mapping or list of mappings"
    )
    assert said(written("a: 2026-99-99\n")).startswith("x.yaml: not valid YAML 1.1, which Ray reads: month must be in")


def test_a_tag_is_refused() -> None:
    """Only plain values may stand in a file that commands are read from."""
    assert said(written("a: !!python/name:os.system x\n")) == (
        'x.yaml:1:4: a tag ("tag:yaml.org,2002:python/name:os.system"); only plain values are allowed'
    )


@pytest.mark.parametrize("number", ["1" + "0" * 400, "0x" + "f" * 5000, ".inf", "-1.0e+300", ".nan", "1.0e+15"])
def test_a_number_that_nothing_counts_with_is_told(number: str) -> None:
    """Ray has 64 bits for ten-thousandths; as a value and as a key."""
    sentence = "Ray cannot represent this number; expected at most 15 digits"
    assert said(written(f"a: 1\nb: [{number}]\n")) == f"x.yaml:2:5: b[0]: {sentence}"
    assert said(written(f"a: 1\nb:\n  ? {number}\n  : c\n")) == f"x.yaml:3:3: b: {sentence}"


def test_a_key_that_is_no_text_is_told() -> None:
    """Ray would read a number, or a yes; each where its mapping begins."""
    assert said(written("on: 1\ntypes:\n  a: {5: x}\n")).splitlines() == [
        "x.yaml:1:1: the key True is not a string in YAML 1.1, which Ray reads; quote it",
        "x.yaml:3:3: types.a: the key 5 is not a string in YAML 1.1, which Ray reads; quote it",
    ]
    assert load_cluster_file(written("'on': 1\n'5': x\n")).config == {"on": 1, "5": "x"}

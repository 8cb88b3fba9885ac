"""Splits and fingerprints of recipes, which need no data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

import pytest

from tcray.data.catalog import dataset_names
from tcray.data.recipe import HoldoutSplit, KFoldSplit, Recipe, read_recipe


@pytest.mark.parametrize("name", dataset_names())
def test_a_recipe_survives_json(name: str) -> None:
    """A recipe survives a round trip through JSON."""
    recipe = read_recipe(name)
    assert Recipe.from_document(json.loads(json.dumps(recipe.document()))) == recipe


def test_a_holdout_split_spreads_examples_evenly_over_groups() -> None:
    """Examples of a part are spread evenly over its own groups."""
    assignment = HoldoutSplit(examples=(5, 2, 3), groups=(2, 1, 2)).assign()
    assert assignment.group_of == (0, 0, 0, 1, 1, 2, 2, 3, 3, 4)
    assert [
        list(rows) for rows in (assignment.splits[0].train, assignment.splits[0].valid, assignment.splits[0].test)
    ] == [
        [0, 1, 2, 3, 4],
        [5, 6],
        [7, 8, 9],
    ]


@pytest.mark.parametrize("dealt", ["group", "example"])
def test_folds_test_every_example_once(dealt: Literal["group", "example"]) -> None:
    """Every example is tested once, and every fold covers all examples without overlap."""
    assignment = KFoldSplit(examples=23, groups=7, folds=3, dealt=dealt, valid=2).assign()
    assert sorted(i for split in assignment.splits for i in split.test) == list(range(23))
    assert all(sorted([*s.train, *s.valid, *s.test]) == list(range(23)) for s in assignment.splits)


def test_folds_by_group_split_no_group() -> None:
    """With folds by group, each group is wholly in train, valid or test."""
    assignment = KFoldSplit(examples=23, groups=7, folds=3, dealt="group", valid=2).assign()
    for split in assignment.splits:
        groups = [{assignment.group_of[i] for i in rows} for rows in (split.train, split.valid, split.test)]
        assert sum(map(len, groups)) == len(set().union(*groups)) == 7
        assert len(groups[1]) == 2


def test_the_fingerprint_is_of_everything_in_the_recipe() -> None:
    """The fingerprint includes seed, noise, generator version and the order of modalities."""
    recipe = read_recipe("mosi")
    reordered = replace(recipe, modalities=dict(reversed(list(recipe.modalities.items()))))
    others = [replace(recipe, seed=1), replace(recipe, noise=0.5), replace(recipe, generator=2), reordered]
    assert len({recipe.fingerprint, *(other.fingerprint for other in others)}) == 5

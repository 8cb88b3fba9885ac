"""What a twin is made of: widths, sizes, planted truth, noise and seed; `tcray.data.twins` makes it into data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal

from tcray.config.metrics import Task
from tcray.config.run import digest

GENERATOR = 1
"""Raised whenever a recipe would make other data than before; part of every twin's fingerprint."""


@dataclass(frozen=True, slots=True)
class ModalityRecipe:
    """How a modality shows its latents and what the label owes it.

    width     columns of its features
    strength  t_m, the standard deviation of its factor around 1: strong is about 1, weak is below 0.4
    blur      standard deviation of the noise on the latents themselves, which no number of columns averages away
    """

    width: int
    strength: float
    blur: float


@dataclass(frozen=True, slots=True)
class SplitRows:
    """Which examples a fold trains on, validates on and tests on."""

    train: Sequence[int]
    valid: Sequence[int]
    test: Sequence[int]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The group of every example, and the folds; one fold for a single split."""

    group_of: tuple[int, ...]
    splits: tuple[SplitRows, ...]


@dataclass(frozen=True, slots=True)
class HoldoutSplit:
    """A single split: examples and groups of train, valid and test, no group in two of them."""

    examples: tuple[int, int, int]
    groups: tuple[int, int, int]

    def assign(self) -> Assignment:
        """Examples in order, train first; every part's examples dealt evenly over its groups."""
        group_of: list[int] = []
        parts: list[range] = []
        for examples, groups in zip(self.examples, self.groups, strict=True):
            base = group_of[-1] + 1 if group_of else 0
            parts.append(range(len(group_of), len(group_of) + examples))
            group_of += [base + i * groups // examples for i in range(examples)]
        return Assignment(tuple(group_of), (SplitRows(*parts),))


@dataclass(frozen=True, slots=True)
class KFoldSplit:
    """Folds over whole groups, or over examples whatever their group; `valid` of them leave each train part."""

    examples: int
    groups: int
    folds: int
    dealt: Literal["group", "example"]
    valid: int

    def assign(self) -> Assignment:
        """Unit u (a group or an example) is tested in fold u mod `folds`; validation is spaced evenly over the rest."""
        group_of = tuple(i * self.groups // self.examples for i in range(self.examples))
        unit_of = group_of if self.dealt == "group" else tuple(range(self.examples))
        units = range(unit_of[-1] + 1)
        splits = []
        for fold in range(self.folds):
            rest = [unit for unit in units if unit % self.folds != fold]
            valid = {rest[j * len(rest) // self.valid] for j in range(self.valid)}
            tested = {unit for unit in units if unit % self.folds == fold}
            splits.append(
                SplitRows(
                    train=[i for i, unit in enumerate(unit_of) if unit not in valid and unit not in tested],
                    valid=[i for i, unit in enumerate(unit_of) if unit in valid],
                    test=[i for i, unit in enumerate(unit_of) if unit in tested],
                )
            )
        return Assignment(group_of, tuple(splits))


@dataclass(frozen=True)
class Recipe:
    """Everything that fixes a twin, so that its fingerprint is a digest of this alone.

    kind            the form of the truth; `multilinear` is f = Σ_i w_i Π_m (1 + t_m ⟨v_im, s_m⟩), i ≤ rank, |v_im| = 1
    latent_dim      k, the label-bearing latents s_m ~ N(0, I_k) of each modality; at least `rank`
    nuisance_dim    further latents that show in the features and not in the label
    grain           standard deviation of independent noise on every feature, whose own is about 1
    noise           the share of the label's variance (of its liability, for a class) that no feature explains
    group           what a group is; empty where every example stands alone
    group_share     the share of a latent's variance that an example has in common with its group
    location, spread  the label is location + spread · (√(1 - noise) · f standardised + √noise · ε), clipped to [-3, 3],
                    ε normal; for a class the label is whether that is above 0, ε logistic with variance 1
    step            regression labels are rounded to multiples of this
    """

    name: str
    kind: Literal["multilinear"]
    seed: int
    task: Task
    primary_metric: str
    modalities: Mapping[str, ModalityRecipe]
    rank: int
    latent_dim: int
    nuisance_dim: int
    grain: float
    noise: float
    group: str
    group_share: float
    location: float
    spread: float
    step: float
    split: HoldoutSplit | KFoldSplit
    generator: int = GENERATOR

    @cached_property
    def assignment(self) -> Assignment:
        """Groups and folds, which need no data."""
        return self.split.assign()

    @property
    def note(self) -> str:
        """What a reader of results should know of the twin."""
        return f"Synthetic: generated from a recipe with a planted truth of rank {self.rank}."

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the recipe, the order of its modalities included."""
        return digest([list(self.modalities), self.document()])

    def document(self) -> dict[str, Any]:
        """The recipe as JSON has it; `from_document` is the inverse."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Recipe:
        """The recipe that `document` states."""
        split: Mapping[str, Any] = document["split"]
        sections = "folds" not in split
        return cls(
            **{
                **document,
                "modalities": {name: ModalityRecipe(**view) for name, view in document["modalities"].items()},
                "split": HoldoutSplit(tuple(split["examples"]), tuple(split["groups"]))
                if sections
                else KFoldSplit(**split),
            }
        )


def read_recipe(name: str) -> Recipe:
    """The recipe of the twin of dataset `name`, as tcray ships it."""
    text = files("tcray.data").joinpath("recipes", f"{name}.json").read_text(encoding="utf-8")
    return Recipe.from_document(json.loads(text))

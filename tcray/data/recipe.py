"""Recipes of twins: widths, sizes, planted truth, noise and seed; `tcray.data.twins` generates the data."""

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
"""Version of the generator, part of every fingerprint; increased whenever a recipe would generate different data."""


@dataclass(frozen=True, slots=True)
class ModalityRecipe:
    """The features of a modality as a function of its latents, and the dependence of the label on them.

    width     number of feature columns
    strength  t_m, the standard deviation of its factor around 1: strong is about 1, weak is below 0.4
    blur      standard deviation of the noise on the latents themselves, which more columns do not average out
    """

    width: int
    strength: float
    blur: float


@dataclass(frozen=True, slots=True)
class SplitRows:
    """Indices of the train, validation and test examples of one fold."""

    train: Sequence[int]
    valid: Sequence[int]
    test: Sequence[int]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The group of every example, and one set of split indices per fold (one in all for a single split)."""

    group_of: tuple[int, ...]
    splits: tuple[SplitRows, ...]


@dataclass(frozen=True, slots=True)
class HoldoutSplit:
    """A single split: numbers of examples and groups in train, valid and test; no group is in two of them."""

    examples: tuple[int, int, int]
    groups: tuple[int, int, int]

    def assign(self) -> Assignment:
        """Assign examples in order, train first; the examples of a part are spread evenly over its groups."""
        group_of: list[int] = []
        parts: list[range] = []
        for examples, groups in zip(self.examples, self.groups, strict=True):
            base = group_of[-1] + 1 if group_of else 0
            parts.append(range(len(group_of), len(group_of) + examples))
            group_of += [base + i * groups // examples for i in range(examples)]
        return Assignment(tuple(group_of), (SplitRows(*parts),))


@dataclass(frozen=True, slots=True)
class KFoldSplit:
    """K-fold cross-validation over whole groups or over single examples; `valid` units of each train part validate."""

    examples: int
    groups: int
    folds: int
    dealt: Literal["group", "example"]
    valid: int

    def assign(self) -> Assignment:
        """Test unit u (a group or an example) in fold u mod `folds`; spread the validation units evenly."""
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
    """Everything that determines a twin; its fingerprint is a digest of this alone.

    kind            the form of the truth; `multilinear` is f = Σ_i w_i Π_m (1 + t_m ⟨v_im, s_m⟩), i ≤ rank, |v_im| = 1
    latent_dim      k, the label-bearing latents s_m ~ N(0, I_k) of each modality; at least `rank`
    nuisance_dim    number of further latents that show in the features and not in the label
    grain           standard deviation of independent noise on every feature, whose own is about 1
    noise           share of the label's variance (of its liability, for a class) that no feature explains
    group           what examples are grouped by; empty if they are independent
    group_share     share of a latent's variance that the examples of a group have in common
    location, spread  the label is location + spread · (√(1 - noise) · f standardized + √noise · ε), clipped to [-3, 3],
                    ε normal; the class is 1 if that is above 0, with ε logistic of variance 1
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
        """Groups and folds, computed without generating data."""
        return self.split.assign()

    @property
    def note(self) -> str:
        """The remark about this twin for readers of results."""
        return f"Synthetic: generated from a recipe with a planted truth of rank {self.rank}."

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the recipe, which includes the order of its modalities."""
        return digest([list(self.modalities), self.document()])

    def document(self) -> dict[str, Any]:
        """Return the recipe as a JSON-compatible mapping; `from_document` is the inverse."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Recipe:
        """Return the recipe that `document` describes."""
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
    """Read the shipped recipe of the twin of dataset `name`."""
    text = files("tcray.data").joinpath("recipes", f"{name}.json").read_text(encoding="utf-8")
    return Recipe.from_document(json.loads(text))

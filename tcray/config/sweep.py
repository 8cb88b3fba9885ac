"""A sweep as its file means it: frozen, every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, Self

from tcray.config import domains
from tcray.config.domains import Domain
from tcray.config.fields import Number, OneOf, Range, Text, Whole, WordOr
from tcray.config.sections import Field, Section, collect_fields


@dataclass(frozen=True)
class Data:
    """Where datasets are, and what is done about one that has not been imported."""

    root: Annotated[str, Text(), "folder of the imported datasets"] = "data"
    missing: Annotated[
        Literal["twin", "error"],
        OneOf(("twin", "error")),
        "a dataset that has not been imported is replaced by its synthetic twin, or is an error",
    ] = "twin"


@dataclass(frozen=True)
class Training:
    """How long a run is trained."""

    epochs: Annotated[int, Whole(1), "passes over the train split"]


@dataclass(frozen=True)
class Asha:
    """Asynchronous successive halving (Li et al. 2020), bracket 0."""

    min_epochs: Annotated[int, Whole(1), "the first rung: no run is pruned before this epoch"]
    reduction_factor: Annotated[float, Number(Range(above=1)), "η: about one run in η goes on from a rung"] = 3.0


@dataclass(frozen=True)
class Search:
    """How each cell's tuned hyperparameters are searched."""

    sampler: Annotated[Literal["tpe", "random"], OneOf(("tpe", "random")), "how Optuna proposes configurations"] = "tpe"
    trials: Annotated[int, Whole(1), "configurations proposed in each repeat of a cell"] = 12
    wave: Annotated[int, Whole(1), "trials proposed together; 4, or all trials where there are fewer"] = 4
    pruner: Annotated[
        Asha | None,
        Section(
            {
                "asha": Field(
                    Section(collect_fields(Asha), "{min_epochs: 9, reduction_factor: 3}"), "successive halving"
                )
            },
            "{asha: {min_epochs: 9, reduction_factor: 3}}",
        ),
        "what stops unpromising runs early; unless given, nothing",
    ] = None


@dataclass(frozen=True)
class Confirm:
    """How often each cell is searched (`repeats`), and how often what a search chose is trained in full (`seeds`)."""

    seeds: Annotated[int, Whole(1), "full trainings of the chosen configuration with fresh seeds, in each repeat"]
    repeats: Annotated[int, Whole(1), "independent searches of a cell; the unit of every test"] = 1


@dataclass(frozen=True)
class Resources:
    """What a pack takes of the hardware; changes no result and no sweep id."""

    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        OneOf(("auto", "cpu", "cuda")),
        "auto is a GPU if any host has one, else the CPU",
    ] = "auto"
    cpu: Annotated[float, Number(Range(above=0)), "CPU cores that a pack takes"] = 1.0
    gpu: Annotated[float, Number(Range(at_least=0, at_most=1)), "share of a GPU that a pack takes"] = 0.0
    pack: Annotated[
        int | Literal["auto"], WordOr("auto", Whole(1), "a whole number"), "most runs trained together; auto measures"
    ] = "auto"
    max_failures: Annotated[int, Whole(1), "how often a run whose process dies is tried"] = 3


@dataclass(frozen=True)
class Sweep:
    """One research question as a plan of cells, searches and confirmations."""

    name: str
    datasets: tuple[str, ...]
    training: Training
    question: str = ""
    claims: tuple[str, ...] = ()
    data: Data = field(default_factory=Data)
    factors: Mapping[str, Any] = field(default_factory=dict)
    """Levels by hyperparameter, a tuple each, in file order; for `modalities` also the word `subsets`."""
    tune: Mapping[str, Domain] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    objective: str = "valid.loss"
    """What a run is judged by, as `valid.<metric>`."""
    search: Search | None = None
    """None where nothing is tuned."""
    confirm: Confirm | None = None
    """None where what a search chose is not confirmed."""
    resources: Resources = field(default_factory=Resources)
    seed: int = 0

    def to_question_document(self) -> dict[str, Any]:
        """What is asked, in JSON's types: all that can change a result, and nothing else.

        Factors and tuned hyperparameters are pairs of name and values, since their order counts: it names the cells
        and orders a sampler's draws.
        """
        return {
            "name": self.name,
            "datasets": list(self.datasets),
            "factors": [[name, _plain(levels)] for name, levels in self.factors.items()],
            "tune": [[name, domain.to_document()] for name, domain in self.tune.items()],
            "fixed": {name: _plain(value) for name, value in self.fixed.items()},
            "training": asdict(self.training),
            "objective": self.objective,
            "search": self.search and asdict(self.search),
            "confirm": self.confirm and asdict(self.confirm),
            "seed": self.seed,
        }

    def to_document(self) -> dict[str, Any]:
        """The whole sweep in JSON's types."""
        told = {"question": self.question, "claims": list(self.claims)}
        return self.to_question_document() | told | {"data": asdict(self.data), "resources": asdict(self.resources)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        search, confirm = document["search"], document["confirm"]
        pruner = search and search["pruner"]
        return cls(
            name=document["name"],
            datasets=tuple(document["datasets"]),
            training=Training(**document["training"]),
            question=document["question"],
            claims=tuple(document["claims"]),
            data=Data(**document["data"]),
            factors={name: _frozen(levels) for name, levels in document["factors"]},
            tune={name: domains.from_document(domain) for name, domain in document["tune"]},
            fixed={name: _frozen(value) for name, value in document["fixed"].items()},
            objective=document["objective"],
            search=search and Search(**{**search, "pruner": pruner and Asha(**pruner)}),
            confirm=confirm and Confirm(**confirm),
            resources=Resources(**document["resources"]),
            seed=document["seed"],
        )


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON gives them back."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    """Lists as tuples."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value

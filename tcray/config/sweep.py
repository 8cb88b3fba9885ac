"""Frozen models of a sweep, with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, Self

from tcray.config import domains
from tcray.config.domains import Domain
from tcray.config.fields import Integer, Number, OneOf, Range, Text, WordOr
from tcray.config.sections import Field, Section, collect_fields


@dataclass(frozen=True)
class Data:
    """Location of the datasets, and the treatment of datasets that have not been imported."""

    root: Annotated[str, Text(), "Folder of the imported datasets."] = "data"
    missing: Annotated[
        Literal["twin", "error"],
        OneOf(("twin", "error")),
        "For a dataset that has not been imported: use its synthetic twin, or raise an error.",
    ] = "twin"


@dataclass(frozen=True)
class Training:
    """Length of a training."""

    epochs: Annotated[int, Integer(1), "Number of passes over the train split."]


@dataclass(frozen=True)
class Asha:
    """Asynchronous successive halving (Li et al. 2020), bracket 0."""

    min_epochs: Annotated[int, Integer(1), "First rung: no run is pruned before this epoch."]
    reduction_factor: Annotated[
        float, Number(Range(above=1)), "Reduction factor η: about one run in η is promoted from a rung."
    ] = 3.0


@dataclass(frozen=True)
class Search:
    """Search of the tuned hyperparameters within each cell."""

    sampler: Annotated[
        Literal["tpe", "random"], OneOf(("tpe", "random")), "Optuna sampler that proposes configurations."
    ] = "tpe"
    trials: Annotated[int, Integer(1), "Number of configurations proposed in each repeat of a cell."] = 12
    wave: Annotated[
        int, Integer(1), "Number of trials proposed together, at most `trials`; a smaller default applies if needed."
    ] = 4
    pruner: Annotated[
        Asha | None,
        Section(
            {
                "asha": Field(
                    Section(collect_fields(Asha), "{min_epochs: 9, reduction_factor: 3}"),
                    "Asynchronous successive halving.",
                )
            },
            "{asha: {min_epochs: 9, reduction_factor: 3}}",
        ),
        "Pruner that stops unpromising runs early. Default: none; every run is trained in full.",
    ] = None


@dataclass(frozen=True)
class Confirm:
    """Number of searches per cell (`repeats`), and of full trainings of each search's choice (`seeds`)."""

    seeds: Annotated[
        int, Integer(1), "Number of full trainings of the chosen configuration, with fresh seeds, in each repeat."
    ]
    repeats: Annotated[
        int, Integer(1), "Number of independent searches of each cell; a repeat is the unit of every test."
    ] = 1


@dataclass(frozen=True)
class Resources:
    """Hardware that a pack takes; changes neither results nor the sweep id."""

    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        OneOf(("auto", "cpu", "cuda")),
        "Device to train on; auto is a GPU if any host has one, and the CPU otherwise.",
    ] = "auto"
    cpu: Annotated[float, Number(Range(above=0)), "CPU cores per pack."] = 1.0
    gpu: Annotated[
        float, Number(Range(at_least=0, at_most=1)), "Share of a GPU per pack; above 0 if `device` is cuda."
    ] = 0.0
    pack: Annotated[
        int | Literal["auto"],
        WordOr("auto", Integer(1), "a whole number"),
        "Largest number of runs trained together; auto measures the best size.",
    ] = "auto"
    max_failures: Annotated[int, Integer(1), "Number of times that a run is tried if its process dies."] = 3


@dataclass(frozen=True)
class Sweep:
    """One research question as a plan of cells, searches and confirm runs."""

    name: str
    datasets: tuple[str, ...]
    training: Training
    question: str = ""
    claims: tuple[str, ...] = ()
    data: Data = field(default_factory=Data)
    factors: Mapping[str, Any] = field(default_factory=dict)
    """Tuple of levels by hyperparameter, in file order; for `modalities` also the word `subsets`."""
    tune: Mapping[str, Domain] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    objective: str = "valid.loss"
    """Metric that the search optimizes, as `valid.<metric>`."""
    search: Search | None = None
    """None if nothing is tuned."""
    confirm: Confirm | None = None
    """None if the choices of the searches are not confirmed."""
    resources: Resources = field(default_factory=Resources)
    seed: int = 0

    def to_question_document(self) -> dict[str, Any]:
        """Return everything that can change a result, and nothing else, in JSON's types.

        Factors and tuned hyperparameters are pairs of name and values because their order counts: it names the cells
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
        """Return the whole sweep in JSON's types."""
        intent = {"question": self.question, "claims": list(self.claims)}
        return self.to_question_document() | intent | {"data": asdict(self.data), "resources": asdict(self.resources)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the sweep of a document; the inverse of `to_document`."""
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
    """Return `value` with tuples as lists, as JSON returns them."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    """Return `value` with lists as tuples."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value

"""Parameters of a model: names, padded shapes, layout in one row of numbers, and initialization.

Every axis that is the output of a matrix product is padded with zeros to a multiple of `BLOCK`: a padded unit computes
zero, receives a zero gradient and stays zero under AdamW. The shape of a tensor is therefore a function of its run and
never of the other runs in the pack, and batched products give the same bits in every pack.
Shape legend: ℓ latent, H hidden, R rank, d input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from tcray.config.run import BLOCK, Configuration
from tcray.models.random_streams import RandomStreams

Floats = NDArray[np.floating]


def round_up_to_block(width: int) -> int:
    """Return the next multiple of `BLOCK`."""
    return -(-width // BLOCK) * BLOCK


@dataclass(frozen=True, slots=True)
class Parameter:
    """One tensor of a member: its name, its padded shape, and whether weight decay acts on it."""

    name: str
    shape: tuple[int, ...]
    decays: bool

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class ParameterLayout:
    """The place of each tensor in a member's row of numbers: decayed tensors first, padding at the end."""

    parameters: tuple[Parameter, ...]

    @classmethod
    def from_architecture(cls, architecture: Architecture) -> ParameterLayout:
        """Return the layout of an architecture's parameters."""
        return cls(tuple(sorted(architecture.parameters(), key=lambda p: not p.decays)))

    @property
    def num_decayed(self) -> int:
        """Number of elements at the start of a row that weight decay acts on."""
        return sum(p.numel for p in self.parameters if p.decays)

    @property
    def numel(self) -> int:
        """Number of elements of a row that belong to a tensor."""
        return sum(p.numel for p in self.parameters)

    @property
    def width(self) -> int:
        """Length of a row, including the padding at its end."""
        return round_up_to_block(self.numel)

    def slices(self) -> Iterator[tuple[Parameter, slice]]:
        """Yield each tensor with its slice of a row."""
        begin = 0
        for parameter in self.parameters:
            yield parameter, slice(begin, begin + parameter.numel)
            begin += parameter.numel

    def flatten(self, tensors: Mapping[str, Floats]) -> Floats:
        """Return a member's tensors as one row of numbers (P,)."""
        row = np.zeros(self.width)
        for parameter, place in self.slices():
            row[place] = tensors[parameter.name].ravel()
        return row

    def unflatten(self, row: Floats) -> dict[str, Floats]:
        """Return a member's tensors by name; the inverse of `flatten`."""
        return {parameter.name: row[place].reshape(parameter.shape) for parameter, place in self.slices()}


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a model, shared by all members of a pack; widths are those before padding."""

    modalities: Mapping[str, int]
    """Input width of every modality of the dataset, used or not."""
    latent: int
    hidden: int
    rank: int
    """Padded rank of the factors; 0 if the fusion has no rank."""
    fusion: str
    has_decoders: bool
    """True if the model has decoders, which it needs only for a reconstruction loss."""

    @classmethod
    def from_configuration(cls, configuration: Configuration, modalities: Mapping[str, int]) -> Architecture:
        """Return the architecture of `configuration` on a dataset with these modalities."""
        return cls(
            modalities=dict(modalities),
            latent=configuration.latent_dim,
            hidden=configuration.hidden_dim,
            rank=round_up_to_block(configuration.rank) if configuration.fusion == "lmf" else 0,
            fusion=configuration.fusion,
            has_decoders=configuration.reconstruction_strength > 0,
        )

    def parameters(self) -> Iterator[Parameter]:
        """Yield every tensor of a member."""
        latent, hidden = round_up_to_block(self.latent), round_up_to_block(self.hidden)
        for m, width in self.modalities.items():
            yield from _linear(f"encoder.{m}.0", round_up_to_block(width), hidden)
            yield from _linear(f"encoder.{m}.1", hidden, latent)
        if self.has_decoders:
            for m, width in self.modalities.items():
                yield from _linear(f"decoder.{m}.0", latent, hidden)
                yield from _linear(f"decoder.{m}.1", hidden, round_up_to_block(width))
        if self.fusion == "lmf":
            for m in self.modalities:
                yield Parameter(f"fusion.{m}.factor", (latent, self.rank), decays=True)
                yield Parameter(f"fusion.{m}.constant", (1, self.rank), decays=True)
            yield Parameter("fusion.weight", (1, self.rank), decays=True)
        elif self.fusion == "tensor":
            yield Parameter("fusion.tensor", (latent + 1, round_up_to_block(self.columns)), decays=True)
        else:
            for m in self.modalities:
                yield Parameter(f"fusion.{m}.weight", (1, latent), decays=True)
        yield Parameter("fusion.bias", (1, 1), decays=False)

    @property
    def columns(self) -> int:
        """Columns of the fusion tensor unfolded along the first modality: (ℓ + 1) for each of the others, ℓ padded."""
        side = round_up_to_block(self.latent) + 1
        return prod([side] * (len(self.modalities) - 1))


def _linear(name: str, inputs: int, outputs: int) -> Iterator[Parameter]:
    yield Parameter(f"{name}.weight", (inputs, outputs), decays=True)
    yield Parameter(f"{name}.bias", (1, outputs), decays=False)


def initialize_parameters(
    architecture: Architecture, configuration: Configuration, draws: RandomStreams
) -> dict[str, Floats]:
    """Return a member's tensors before training, float64, padded with zeros.

    Linear layers: weights N(0, 2/inputs) before a ReLU and N(0, 1/inputs) otherwise, biases 0, so that a latent unit of
    a standardized input has unit variance. LMF: factors N(0, 1/(ℓ + 1)), weights N(0, 1/r), drawn one rank at a time:
    the output's variance depends on neither rank nor subset, and the factors of rank r are the first r of rank r + 1.
    Tensor fusion and concatenation: N(0, 1/(ℓ + 1)^M) and N(0, 1/Mℓ), M the modalities used, for the same reason.
    """
    tensors: dict[str, Floats] = {p.name: np.zeros(p.shape) for p in architecture.parameters()}

    def normal(name: str, shape: tuple[int, ...], variance: float, part: str = "") -> Floats:
        return draws.generator("initial", name + part).standard_normal(shape) * sqrt(variance)

    def layer(name: str, inputs: int, outputs: int, gain: float) -> None:
        tensors[f"{name}.weight"][:inputs, :outputs] = normal(f"{name}.weight", (inputs, outputs), gain / inputs)

    latent, hidden = architecture.latent, architecture.hidden
    for m, width in architecture.modalities.items():
        layer(f"encoder.{m}.0", width, hidden, 2.0)
        layer(f"encoder.{m}.1", hidden, latent, 1.0)
        if architecture.has_decoders:
            layer(f"decoder.{m}.0", latent, hidden, 2.0)
            layer(f"decoder.{m}.1", hidden, width, 1.0)
    if architecture.fusion == "lmf":
        for i in range(configuration.rank):
            for m in architecture.modalities:
                column = normal(f"fusion.{m}.factor", (latent + 1,), 1 / (latent + 1), part=f".{i}")
                tensors[f"fusion.{m}.factor"][:latent, i] = column[:latent]
                tensors[f"fusion.{m}.constant"][0, i] = column[latent]
            weight = normal("fusion.weight", (1,), 1 / configuration.rank, part=f".{i}")
            tensors["fusion.weight"][0, i] = weight[0]
    elif architecture.fusion == "tensor":
        side, order = latent + 1, len(architecture.modalities)
        variance = side ** -len(configuration.modalities)
        tensors["fusion.tensor"][...] = unfold(architecture, normal("fusion.tensor", (side,) * order, variance))
    else:
        for m in architecture.modalities:
            variance = 1 / (latent * len(configuration.modalities))
            tensors[f"fusion.{m}.weight"][0, :latent] = normal(f"fusion.{m}.weight", (latent,), variance)
    return tensors


def unfold(architecture: Architecture, cube: Floats) -> Floats:
    """Return a fusion tensor of side ℓ + 1 as the parameter `fusion.tensor`: padded, unfolded along modality 1."""
    order = len(architecture.modalities)
    side = round_up_to_block(architecture.latent) + 1
    kept = [*range(architecture.latent), side - 1]
    full = np.zeros((side,) * order)
    full[np.ix_(*[kept] * order)] = cube
    unfolded = np.zeros((side, round_up_to_block(architecture.columns)))
    unfolded[:, : architecture.columns] = full.reshape(side, -1)
    return unfolded

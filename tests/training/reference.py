"""A reference implementation of one model in plain PyTorch, written from the equations of the papers.

No member axis, no padding, no masks over ranks: modules for the modalities and ranks a run uses, autograd through naive
pairwise kernels, `torch.optim.AdamW`. It shares with the engine only the source of its numbers: the initial tensors,
cut to their true shapes, and the random blocks of `EpochDraws`.
Shape legend: B rows, d input, H hidden, ℓ latent, r rank.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from tcray.config.metrics import Task
from tcray.config.run import Configuration, Run
from tcray.data.dataset import MultimodalDataset, standardize_features
from tcray.models.architecture import Architecture, Floats, initialize_parameters
from tcray.models.random_streams import RandomStreams

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """The draws of one optimizer step."""

    rows: Tensor
    """(B,) indices in the dataset."""
    masks: Mapping[str, Tensor]
    """(B, H) dropout factors by layer."""
    kept: Mapping[str, Tensor]
    """(B, 1) 0 if a row's modality is dropped."""
    prior: Mapping[str, Tensor]
    """(B, ℓ) prior samples by modality, if the kernel needs them."""


@dataclass(frozen=True)
class EpochResult:
    """The model after an epoch."""

    running_loss: float
    valid_loss: float
    weights: Mapping[str, Tensor]


class Perceptron(nn.Module):
    """Linear, ReLU, dropout, Linear."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (B, outputs); `mask` (B, H) holds the dropout factors of the hidden units."""
        return self.second(self.first(x).relu() * mask)


class LowRankFusion(nn.Module):
    """y = b + Σ_{i≤r} w_i Π_m W_m^{(i)} [z_m; 1] (Liu et al. 2018, eq. 6)."""

    def __init__(self, modalities: Collection[str], latent: int, rank: int) -> None:
        super().__init__()
        self.factors = nn.ParameterDict({m: torch.empty(rank, latent + 1) for m in modalities})
        self.weight, self.bias = nn.Parameter(torch.empty(rank)), nn.Parameter(torch.empty(()))

    def forward(self, latents: Mapping[str, Tensor]) -> Tensor:
        """Return y (B,)."""
        product = torch.ones(())
        for m, z in latents.items():
            product = product * (with_one(z) @ self.factors[m].T)
        return self.bias + product @ self.weight


class TensorFusion(nn.Module):
    """y = b + ⟨T, ⊗_m [z_m; 1]⟩ (Zadeh et al. 2017, section 4.2)."""

    def __init__(self, modalities: Collection[str], latent: int) -> None:
        super().__init__()
        self.tensor = nn.Parameter(torch.empty([latent + 1] * len(modalities)))
        self.bias = nn.Parameter(torch.empty(()))

    def forward(self, latents: Mapping[str, Tensor]) -> Tensor:
        """Return y (B,)."""
        first, *others = latents.values()
        outer = with_one(first)
        for z in others:
            outer = torch.einsum("b...,bj->b...j", outer, with_one(z))
        return self.bias + (outer * self.tensor).flatten(1).sum(1)


class Concatenation(nn.Module):
    """y = b + Σ_m v_m · z_m."""

    def __init__(self, modalities: Collection[str], latent: int) -> None:
        super().__init__()
        self.weights = nn.ParameterDict({m: torch.empty(latent) for m in modalities})
        self.bias = nn.Parameter(torch.empty(()))

    def forward(self, latents: Mapping[str, Tensor]) -> Tensor:
        """Return y (B,)."""
        return self.bias + sum(z @ self.weights[m] for m, z in latents.items())


def with_one(z: Tensor) -> Tensor:
    """Return [z; 1], (B, ℓ + 1)."""
    return torch.cat([z, torch.ones(len(z), 1)], 1)


class ReferenceModel(nn.Module):
    """Encoders, a fusion, and decoders if reconstruction is part of the loss, for the modalities of a run.

    silent  modalities whose latent the fusion receives as 0, the mean of the prior
    """

    def __init__(
        self, configuration: Configuration, widths: Mapping[str, int], task: Task, silent: Collection[str] = ()
    ) -> None:
        super().__init__()
        self.configuration, self.task, self.silent = configuration, task, silent
        latent, hidden, used = configuration.latent_dim, configuration.hidden_dim, configuration.modalities
        self.encoder = nn.ModuleDict({m: Perceptron(widths[m], hidden, latent) for m in used})
        if configuration.reconstruction_strength > 0:
            self.decoder = nn.ModuleDict({m: Perceptron(latent, hidden, widths[m]) for m in used})
        self.fusion: nn.Module = {
            "lmf": lambda: LowRankFusion(used, latent, configuration.rank),
            "tensor": lambda: TensorFusion(used, latent),
            "concat": lambda: Concatenation(used, latent),
        }[configuration.fusion]()

    def encode(self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return z_m (B, ℓ) by modality."""
        return {m: encoder(inputs[m], masks[f"encoder.{m}"]) for m, encoder in self.encoder.items()}

    def fuse(self, latents: Mapping[str, Tensor], kept: Mapping[str, Tensor]) -> Tensor:
        """Return y (B,); the latent of a dropped modality is 0."""
        return self.fusion({m: z * (0.0 if m in self.silent else kept[m]) for m, z in latents.items()})

    def task_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return L1 for regression, BCE for classification."""
        if self.task == "regression":
            return l1_loss(output, labels)
        return binary_cross_entropy_with_logits(output, labels)

    def losses(self, inputs: Mapping[str, Tensor], labels: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Return the task loss and the total: task + λ Σ MMD² + ρ Σ ‖x̂ - x‖²/d + α Σ ‖z_m - z_n‖²/ℓ."""
        c = self.configuration
        latents = self.encode(inputs, step.masks)
        task = self.task_loss(self.fuse(latents, step.kept), labels)
        whole = task
        for m, z in latents.items():
            if c.prior_strength > 0:
                distance = mmd_rbf(z) if c.prior_kernel == "rbf" else mmd_imq(z, step.prior[m])
                whole = whole + c.prior_strength * distance
            if c.reconstruction_strength > 0:
                decoded = self.decoder[m](z, step.masks[f"decoder.{m}"])
                whole = whole + c.reconstruction_strength * (decoded - inputs[m]).square().mean()
        for m, n in combinations(latents, 2):
            whole = whole + c.alignment_strength * (latents[m] - latents[n]).square().mean()
        return task, whole


def mmd_rbf(z: Tensor) -> Tensor:
    """Return MMD²(z, N(0, I)) as a U-statistic; kernel: mean of exp(-‖x - y‖²/2σ²) over σ² ∈ ℓ·{¼, ½, 1, 2, 4}."""
    dim = z.shape[1]
    if len(z) < 2:
        return torch.zeros(())
    others = ~torch.eye(len(z), dtype=torch.bool)
    distances = (z[:, None] - z[None]).square().sum(2)[others]
    values = []
    for variance in (dim / 4, dim / 2, dim, dim * 2, dim * 4):
        among = torch.exp(-distances / (2 * variance)).mean()
        to_prior = (variance / (variance + 1)) ** (dim / 2) * torch.exp(-z.square().sum(1) / (2 * (variance + 1)))
        values.append(among - 2 * to_prior.mean() + (variance / (variance + 2)) ** (dim / 2))
    return torch.stack(values).mean()


def mmd_imq(z: Tensor, prior: Tensor) -> Tensor:
    """Return MMD² between two samples; kernel: mean of C/(C + ‖x - y‖²) over C = 2ℓ·{.1, .2, .5, 1, 2, 5, 10}."""
    if len(z) < 2:
        return torch.zeros(())
    others = ~torch.eye(len(z), dtype=torch.bool)

    def kernel(a: Tensor, b: Tensor, c: float) -> Tensor:
        return c / (c + (a[:, None] - b[None]).square().sum(2))

    values = []
    for scale in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0):
        c = 2 * z.shape[1] * scale
        among = kernel(z, z, c)[others].mean() + kernel(prior, prior, c)[others].mean()
        values.append(among - 2 * kernel(z, prior, c).mean())
    return torch.stack(values).mean()


def steps(draws: RandomStreams, configuration: Configuration, train: NDArray[np.int64], epoch: int) -> Iterator[Step]:
    """Yield one epoch's steps; random blocks are as wide as a batch padded to 32 rows and a layer to 16 units."""
    c = configuration
    order = train[draws.generator("order", epoch=epoch).permutation(len(train))]
    count, width, units = -(-len(train) // c.batch_size), 32 * -(-c.batch_size // 32), 16 * -(-c.hidden_dim // 16)
    for i in range(count):
        rows = order[i * c.batch_size :][: c.batch_size]
        masks, kept, prior = {}, {}, {}
        for m, rate in zip(c.modalities, c.modality_dropout, strict=True):
            for layer in (f"encoder.{m}", f"decoder.{m}"):
                raw = draws.generator("dropout", layer, epoch).bytes(2 * count * width * units)
                bits = np.frombuffer(raw, np.int16).reshape(count, width, units)[i, : len(rows), : c.hidden_dim]
                survives = bits.astype(int) + 2**15 >= round(c.dropout * 2**16)
                masks[layer] = torch.from_numpy(survives / (1 - c.dropout))
            chance = draws.generator("modality dropout", m, epoch).random((count, width))[i, : len(rows), None]
            kept[m] = torch.from_numpy(chance >= rate).double()
            samples = draws.generator("prior", m, epoch).standard_normal((count, width, c.latent_dim))
            prior[m] = torch.from_numpy(samples[i, : len(rows)])
        yield Step(torch.from_numpy(rows), masks, kept, prior)


def train_reference(dataset: MultimodalDataset, run: Run, silent: Collection[str] = ()) -> Iterator[EpochResult]:
    """Train the model of `run` on a dataset of one fold, in float64; yield the model after each epoch."""
    torch.set_default_dtype(torch.float64)
    try:
        yield from _train_reference(dataset, run, silent)
    finally:
        torch.set_default_dtype(torch.float32)


def _train_reference(dataset: MultimodalDataset, run: Run, silent: Collection[str]) -> Iterator[EpochResult]:
    c, widths, draws = run.configuration, dataset.card.modalities, RandomStreams.from_run(run)
    model = ReferenceModel(c, widths, dataset.card.task, silent)
    start = initialize_parameters(Architecture.from_configuration(c, widths), c, draws)
    model.load_state_dict({name: torch.tensor(x) for name, x in remove_padding(start, c, widths).items()})
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    others = [p for name, p in model.named_parameters() if not name.endswith("bias")]
    optimizer = torch.optim.AdamW(
        [{"params": others, "weight_decay": c.weight_decay}, {"params": biases, "weight_decay": 0.0}], lr=c.lr
    )
    features = {m: x[0].double() for m, x in standardize_features(dataset).items()}
    labels, split = dataset.labels.double(), dataset.splits[0]
    for epoch in range(1, run.epochs + 1):
        running = []
        for step in steps(draws, c, split.train.numpy(), epoch):
            task, whole = model.losses({m: x[step.rows] for m, x in features.items()}, labels[step.rows], step)
            optimizer.zero_grad()
            whole.backward()
            optimizer.step()
            running.append(task.item())
        with torch.no_grad():
            whole_units = {f"encoder.{m}": torch.ones(()) for m in c.modalities}
            latents = model.encode({m: x[split.valid] for m, x in features.items()}, whole_units)
            valid = model.task_loss(model.fuse(latents, dict.fromkeys(latents, torch.ones(()))), labels[split.valid])
        weights = {name: p.detach().clone() for name, p in model.named_parameters()}
        yield EpochResult(sum(running) / len(running), valid.item(), weights)


def remove_padding(
    tensors: Mapping[str, Floats], configuration: Configuration, widths: Mapping[str, int]
) -> dict[str, Floats]:
    """Return a member's padded tensors cut to the shapes of the reference model, under its parameter names."""
    latent, hidden, rank = configuration.latent_dim, configuration.hidden_dim, configuration.rank
    used = configuration.modalities
    found = {}
    for m in used:
        for coder, inputs, outputs in (("encoder", widths[m], latent), ("decoder", latent, widths[m])):
            if f"{coder}.{m}.0.weight" in tensors:
                found[f"{coder}.{m}.first.weight"] = tensors[f"{coder}.{m}.0.weight"][:inputs, :hidden].T
                found[f"{coder}.{m}.first.bias"] = tensors[f"{coder}.{m}.0.bias"][0, :hidden]
                found[f"{coder}.{m}.second.weight"] = tensors[f"{coder}.{m}.1.weight"][:hidden, :outputs].T
                found[f"{coder}.{m}.second.bias"] = tensors[f"{coder}.{m}.1.bias"][0, :outputs]
        if configuration.fusion == "lmf":
            factor = np.vstack([tensors[f"fusion.{m}.factor"][:latent], tensors[f"fusion.{m}.constant"]])
            found[f"fusion.factors.{m}"] = factor[:, :rank].T
        if configuration.fusion == "concat":
            found[f"fusion.weights.{m}"] = tensors[f"fusion.{m}.weight"][0, :latent]
    if configuration.fusion == "lmf":
        found["fusion.weight"] = tensors["fusion.weight"][0, :rank]
    if configuration.fusion == "tensor":
        side = len(tensors["fusion.tensor"])
        cube = tensors["fusion.tensor"][:, : side ** (len(widths) - 1)].reshape((side,) * len(widths))
        kept = [[*range(latent), side - 1] if m in used else [side - 1] for m in widths]
        found["fusion.tensor"] = cube[np.ix_(*kept)].reshape([latent + 1] * len(used))
    return {**found, "fusion.bias": tensors["fusion.bias"][0, 0]}

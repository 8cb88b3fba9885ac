"""Reference for throughput: one low-rank fusion model in ordinary PyTorch, trained one run at a time.

It does the same work per run as the engine of tcray (validation after every epoch, test and train at the end), and is
carefully optimized: whole-batch tensors, closed-form MMD, fused AdamW, one thread, no DataLoader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

STRENGTHS = {"none": (0.0, 0.0, 0.0), "jwae": (10.0, 0.1, 0.1)}
EPOCHS = 10
"""Epochs per run; 46 steps each on MOSI's 1,447 examples, about 450 steps per run."""


def configurations(count: int) -> list[dict[str, Any]]:
    """Return the runs that every contender trains: ranks and conditionings in turn, each with its own seed."""
    ranks = (1, 2, 3, 4, 6, 8, 12, 16)
    return [
        {"rank": ranks[i % 8], "conditioning": ("none", "jwae")[i // 8 % 2], "lr": 1e-3, "dropout": 0.2, "seed": i}
        for i in range(count)
    ]


class Fusion(nn.Module):
    """LMF (Liu et al. 2018) with the decoders of a jWAE."""

    def __init__(
        self, widths: Mapping[str, int], rank: int, dropout: float, *, latent: int = 16, hidden: int = 32
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(
            nn.Sequential(nn.Linear(d, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, latent))
            for d in widths.values()
        )
        self.decoders = nn.ModuleList(
            nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, d))
            for d in widths.values()
        )
        self.factors = nn.ParameterList(torch.randn(latent + 1, rank) / (latent + 1) ** 0.5 for _ in widths)
        self.weight = nn.Parameter(torch.randn(rank) / rank**0.5)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return outputs (B,) and latents (B, ℓ)."""
        latents = [encoder(x) for encoder, x in zip(self.encoders, inputs, strict=True)]
        product: Any = self.weight
        for factor, z in zip(self.factors, latents, strict=True):
            product = product * (nn.functional.pad(z, (0, 1), value=1.0) @ factor)
        return product.sum(1) + self.bias, latents


def mmd(z: Tensor) -> Tensor:
    """Return the U-statistic of MMD² between latents and N(0, I), for the same kernel as tcray's."""
    count, dim = z.shape
    distances = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").square()
    norm, total = z.square().sum(1), torch.zeros(())
    for width in (0.25, 0.5, 1.0, 2.0, 4.0):
        v = width * dim
        kernel = torch.exp(-distances / (2 * v))
        within = (kernel.sum() - kernel.diagonal().sum()) / (count * (count - 1))
        across = ((v / (v + 1)) ** (dim / 2) * torch.exp(-norm / (2 * (v + 1)))).mean()
        total = total + within - 2 * across + (v / (v + 2)) ** (dim / 2)
    return total / 5


class Data:
    """The standardized splits of a dataset as plain tensors."""

    def __init__(self, dataset: Any) -> None:
        from tcray.data.dataset import standardize_features

        features = [x[0] for x in standardize_features(dataset).values()]
        split = dataset.splits[0]
        self.widths = dict(dataset.card.modalities)
        self.parts = {
            name: ([x[rows] for x in features], dataset.labels[rows])
            for name, rows in (("train", split.train), ("valid", split.valid), ("test", split.test))
        }


def epochs(data: Data, configuration: Mapping[str, Any]) -> Iterator[float]:
    """Train one run and yield its validation loss after every epoch."""
    torch.set_num_threads(1)
    torch.manual_seed(configuration["seed"])
    model = Fusion(data.widths, configuration["rank"], configuration["dropout"])
    prior, reconstruction, alignment = STRENGTHS[configuration["conditioning"]]
    optimizer = torch.optim.AdamW(model.parameters(), lr=configuration["lr"], weight_decay=0.0, fused=True)
    inputs, labels = data.parts["train"]
    for epoch in range(EPOCHS):
        model.train()
        for rows in torch.randperm(len(labels)).split(32):
            batch = [x[rows] for x in inputs]
            outputs, latents = model(batch)
            loss = (outputs - labels[rows]).abs().mean()
            if prior:
                for decoder, z, x in zip(model.decoders, latents, batch, strict=True):
                    loss = loss + prior * mmd(z) + reconstruction * (decoder(z) - x).square().mean()
                for a, b in combinations(latents, 2):
                    loss = loss + alignment * (a - b).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield evaluate(model, data, "valid")
        if epoch == EPOCHS - 1:
            evaluate(model, data, "test")
            evaluate(model, data, "train")


def evaluate(model: Fusion, data: Data, split: str) -> float:
    """Return the mean absolute error on a split."""
    model.eval()
    inputs, labels = data.parts[split]
    with torch.no_grad():
        return float((model(inputs)[0] - labels).abs().mean())

"""A trained fusion as an ordinary `torch.nn.Module`, for use outside the pack engine.

No member axis and no padding: one `nn.Sequential` encoder per modality and the parameters of one fusion, cut from the
stored weights. Shape legend: B rows, d input, H hidden, ℓ latent, r rank, M modalities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tcray.config.run import Configuration
from tcray.models.architecture import round_up_to_block

Weights = Mapping[str, NDArray[np.floating]]


class Standardize(nn.Module):
    """Center and scale features by the train split, then clip: the input every encoder was trained on."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, clip: float) -> None:
        """`mean` and `scale` (d,) in float64; a column whose scale is infinite becomes 0."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.clip = clip

    def forward(self, x: Tensor) -> Tensor:
        """Return float32 features (B, d)."""
        return ((x.double() - self.mean) / self.scale).clamp(-self.clip, self.clip).float()


class LowRankFusion(nn.Module):
    """y = b + Σ_{i≤r} w_i Π_m W_m^{(i)} [z_m; 1] (Liu et al. 2018, eq. 6)."""

    def __init__(self, weights: Weights, modalities: Sequence[str], latent: int, rank: int) -> None:
        """Cut the factors (ℓ + 1, r) of each modality out of the stored weights."""
        super().__init__()
        self.factors = nn.ParameterDict(
            {
                m: _parameter(
                    np.concatenate(
                        [weights[f"fusion.{m}.factor"][:latent, :rank], weights[f"fusion.{m}.constant"][:, :rank]]
                    )
                )
                for m in modalities
            }
        )
        self.weight = _parameter(weights["fusion.weight"][0, :rank])
        self.bias = _parameter(weights["fusion.bias"][0, 0])

    def forward(self, latents: Mapping[str, Tensor]) -> Tensor:
        """Return outputs (B,)."""
        product = self.weight
        for m, z in latents.items():
            product = product * (_with_one(z) @ self.factors[m])
        return product.sum(1) + self.bias


class TensorFusion(nn.Module):
    """y = b + ⟨T, ⊗_m [z_m; 1]⟩ (Zadeh et al. 2017, section 4.2)."""

    def __init__(self, weights: Weights, modalities: Sequence[str], latent: int, present: Sequence[str]) -> None:
        """Cut the tensor (ℓ + 1, …) out of the stored weights; absent modalities contribute their constant alone."""
        super().__init__()
        side, order = round_up_to_block(latent) + 1, len(modalities)
        full = weights["fusion.tensor"][:, : side ** (order - 1)].reshape((side,) * order)
        kept = [*range(latent), side - 1]
        cube = full[np.ix_(*[kept] * order)]
        cube = cube[tuple(slice(None) if m in present else -1 for m in modalities)]
        self.tensor = _parameter(cube)
        self.bias = _parameter(weights["fusion.bias"][0, 0])

    def forward(self, latents: Mapping[str, Tensor]) -> Tensor:
        """Return outputs (B,)."""
        first, *others = [_with_one(z) for z in latents.values()]
        contracted: Tensor = torch.tensordot(first, self.tensor, dims=([1], [0]))
        for z in others:
            contracted = torch.einsum("bi,bi...->b...", z, contracted)
        return contracted + self.bias


class Concatenation(nn.Module):
    """y = b + Σ_m v_m · z_m: a linear read-out of the concatenated latents."""

    def __init__(self, weights: Weights, modalities: Sequence[str], latent: int) -> None:
        """Cut the vectors (ℓ,) of each modality out of the stored weights."""
        super().__init__()
        self.weights = nn.ParameterDict({m: _parameter(weights[f"fusion.{m}.weight"][0, :latent]) for m in modalities})
        self.bias = _parameter(weights["fusion.bias"][0, 0])

    def forward(self, latents: Mapping[str, Tensor]) -> Tensor:
        """Return outputs (B,)."""
        return torch.stack([z @ self.weights[m] for m, z in latents.items()]).sum(0) + self.bias


class FusionModel(nn.Module):
    """One trained model: standardization, an encoder per modality, a fusion.

    modalities   input widths of the modalities that the model uses
    """

    def __init__(
        self,
        configuration: Configuration,
        modalities: Mapping[str, int],
        weights: Weights,
        standardize: Mapping[str, Standardize],
    ) -> None:
        """Build the model of one fold from its stored, padded weights.

        Args:
            configuration: hyperparameters of the run.
            modalities: input width of every modality of the dataset, in its order.
            weights: tensors by parameter name, without a fold axis.
            standardize: by modality.
        """
        super().__init__()
        used = configuration.modalities
        self.modalities = {m: modalities[m] for m in used}
        self.standardize = nn.ModuleDict({m: standardize[m] for m in used})
        hidden, latent = configuration.hidden_dim, configuration.latent_dim
        self.encoders = nn.ModuleDict(
            {
                m: nn.Sequential(
                    _linear(weights, f"encoder.{m}.0", modalities[m], hidden),
                    nn.ReLU(),
                    nn.Dropout(configuration.dropout),
                    _linear(weights, f"encoder.{m}.1", hidden, latent),
                )
                for m in used
            }
        )
        self.fusion: nn.Module
        if configuration.fusion == "lmf":
            self.fusion = LowRankFusion(weights, used, latent, configuration.rank)
        elif configuration.fusion == "tensor":
            self.fusion = TensorFusion(weights, tuple(modalities), latent, used)
        else:
            self.fusion = Concatenation(weights, used, latent)
        self.eval()

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return outputs (B,) for raw features (B, d) by modality: the target, or the logit of the positive class."""
        outputs: Tensor = self.fusion({m: self.encoders[m](self.standardize[m](inputs[m])) for m in self.modalities})
        return outputs


def _linear(weights: Weights, name: str, inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    layer.weight = _parameter(weights[f"{name}.weight"][:inputs, :outputs].T)
    layer.bias = _parameter(weights[f"{name}.bias"][0, :outputs])
    return layer


def _parameter(values: NDArray[np.floating]) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(np.array(values, dtype=np.float32)))


def _with_one(z: Tensor) -> Tensor:
    return torch.cat([z, torch.ones_like(z[:, :1])], 1)

"""The model of a confirm run, loaded from a store as an ordinary `torch.nn.Module`."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from tcray.config.run import Configuration
from tcray.config.sweep import Sweep
from tcray.data.catalog import Card
from tcray.data.dataset import MultimodalDataset, load_dataset
from tcray.data.standardize import CLIP, compute_moments
from tcray.errors import InputError, StoreError
from tcray.models.fusion_model import FusionModel, Standardize
from tcray.store.store import SweepStore
from tcray.store.trials import read_records


class StoredModel(nn.Module):
    """The model of a confirm run: one `FusionModel` per fold of its dataset, one in all if it has no folds."""

    def __init__(self, run_id: str, folds: list[FusionModel]) -> None:
        """Wrap the models of a run, in the order of the dataset's folds."""
        super().__init__()
        self.run_id = run_id
        self.folds = nn.ModuleList(folds)
        self.modalities: Mapping[str, int] = folds[0].modalities
        """Input width of each modality that the model uses."""

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return outputs (B,) for raw features (B, d) by modality: the mean over folds."""
        return torch.stack([fold(inputs) for fold in self.folds]).mean(0)

    def predict(self, inputs: Mapping[str, ArrayLike], fold: int | None = None) -> NDArray[np.float32]:
        """Return predictions (N,): the regression target, or the logit of the positive class.

        Args:
            inputs: raw features (N, d) by modality, as in the imported dataset; modalities that the model does not use
                are ignored.
            fold: use the model of one fold; by default the mean over folds.

        Raises:
            tcray.errors.InputError: if a modality is missing or has another width.
        """
        tensors = {name: self._tensor(name, inputs) for name in self.modalities}
        model = self if fold is None else self.folds[fold]
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                outputs: NDArray[np.float32] = model(tensors).numpy()
                return outputs
        finally:
            self.train(training)

    def _tensor(self, name: str, inputs: Mapping[str, ArrayLike]) -> Tensor:
        if name not in inputs:
            raise InputError(
                f"predict: modality {name!r} is missing", f"Pass arrays for: {', '.join(self.modalities)}."
            )
        array = np.asarray(inputs[name], dtype=np.float32)
        if array.ndim != 2 or array.shape[1] != self.modalities[name]:
            raise InputError(
                f"predict: {name!r} has shape {array.shape}, expected (N, {self.modalities[name]})",
                "Pass raw features as imported, one row per example.",
            )
        return torch.from_numpy(array)


def load_model(store: SweepStore, run_id: str) -> StoredModel:
    """Return the model of a confirm run; see `StoredSweep.model`."""
    record = next((record for record in read_records(store) if record["run_id"] == run_id), None)
    if record is None:
        raise InputError(f"sweep {store.sweep_id} has no run {run_id!r}", "`runs()` lists its runs.")
    content = store.read_blob(store.paths.weights(run_id))
    if content is None:
        raise InputError(
            f"run {run_id} has no stored weights: it is a {record['phase']} run in state {record['state']}",
            "Weights are kept for complete confirm runs.",
        )
    manifest = store.read_manifest()
    card = next(Card.from_document(card) for card in manifest["cards"] if card["name"] == record["dataset"])
    dataset = load_dataset(card, Sweep.from_document(manifest["sweep"]).data.root)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError) as error:
        raise StoreError(f"the weights of run {run_id} are damaged", "Restore them from a copy.") from error
    configuration = Configuration.from_flat(record)
    folds = [
        FusionModel(
            configuration,
            card.modalities,
            {name: array[fold] for name, array in weights.items()},
            _standardize(dataset, fold),
        )
        for fold in range(len(dataset.splits))
    ]
    return StoredModel(run_id, folds)


def _standardize(dataset: MultimodalDataset, fold: int) -> dict[str, Standardize]:
    train = dataset.splits[fold].train.numpy()
    found = {name: compute_moments(matrix.numpy(), train) for name, matrix in dataset.features.items()}
    return {
        name: Standardize(torch.from_numpy(mean), torch.from_numpy(scale), CLIP)
        for name, (mean, scale) in found.items()
    }

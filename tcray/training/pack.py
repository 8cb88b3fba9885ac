"""The pack engine: trains many runs together as one tensor program, from one rung to the next.

The result of a run does not depend on its pack. On the CPU it is the same bit for bit, for one machine type and torch
version: shapes are a function of the run, the output axes of every product are multiples of `BLOCK`, batches are padded
to full width, every draw has its own generator, and one thread computes. A member that diverges is marked and no longer
updated; the other members are not affected.
Shape legend: K members = runs × F folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from tcray.config.metrics import METRICS
from tcray.config.run import Run
from tcray.data.dataset import MultimodalDataset
from tcray.models.architecture import Architecture, Floats, ParameterLayout, initialize_parameters
from tcray.models.random_streams import RandomStreams
from tcray.models.spectrum import compute_spectra
from tcray.models.stacked import StackedModel
from tcray.store.outcome import Evaluation, Outcome
from tcray.training.checkpoint import ROW_FIELDS, Checkpoint, weights_to_bytes
from tcray.training.draws import EpochDraws, Member
from tcray.training.evaluation import Values, measure_latents, predict, predict_conditions
from tcray.training.losses import Objective
from tcray.training.metrics import compute_metrics
from tcray.training.optimizer import AdamW
from tcray.training.packed_dataset import PackedDataset, SplitName


@dataclass(frozen=True, slots=True)
class TrainResult:
    """The outcome of a run, the checkpoint to resume from, and the weights of a finished confirm run."""

    outcome: Outcome
    checkpoint: bytes | None
    weights: bytes | None


def train(
    dataset: MultimodalDataset | PackedDataset,
    runs: Sequence[Run],
    *,
    start: int,
    stop: int,
    checkpoints: Sequence[bytes | None],
    device: str = "cpu",
    confirm: bool = False,
    dtype: torch.dtype = torch.float32,
) -> list[TrainResult]:
    """Train epochs `start` + 1 … `stop` of `runs`, which share a signature; return one result per run.

    checkpoints  those returned by an earlier call for each run at epoch `start`; None at `start` 0
    confirm      if True, runs that reach their last epoch are evaluated under every condition and keep their weights
    """
    alike = {(run.signature, run.epochs) for run in runs}
    assert len(alike) == 1, "runs that share a pack share a signature and a number of epochs"
    with _one_thread(device):
        packed = dataset if isinstance(dataset, PackedDataset) else PackedDataset.from_dataset(dataset, device, dtype)
        started = perf_counter()
        loaded = [Checkpoint.from_bytes(blob) for blob in checkpoints if blob is not None]
        pack = _Pack.resume(packed, runs, loaded, dtype) if start else _Pack.initialize(packed, runs, dtype)
        for epoch in range(start + 1, stop + 1):
            pack.train_epoch(epoch, every_metric=confirm)
        return pack.finish(stop, confirm=confirm, started=started)


@contextmanager
def _one_thread(device: str) -> Iterator[None]:
    """Context manager: compute on one CPU thread, so that sums are taken in a fixed order."""
    threads = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(slots=True)
class _Progress:
    """The progress of one run of the pack."""

    best_epoch: int = 0
    best_value: float = float("nan")
    value: float = float("nan")
    diverged: int = 0
    """Epoch of divergence; 0 if the run has not diverged."""
    curve: list[dict[str, float]] = field(default_factory=list)

    def improves(self, value: float, *, maximize: bool) -> bool:
        """True if `value` is better than the best so far; a tie is not, so the earlier epoch is kept."""
        if not self.best_epoch or np.isnan(self.best_value):
            return True
        return value > self.best_value if maximize else value < self.best_value


@dataclass(slots=True)
class _Pack:
    packed: PackedDataset
    runs: Sequence[Run]
    members: Sequence[Member]
    layout: ParameterLayout
    model: StackedModel
    best: StackedModel
    """The members at the best epoch of their run."""
    optimizer: AdamW
    objective: Objective
    progress: list[_Progress]
    folds: Tensor
    """(K,) fold of each member."""

    @classmethod
    def initialize(cls, packed: PackedDataset, runs: Sequence[Run], dtype: torch.dtype) -> _Pack:
        """Return a pack of new runs, before their first epoch."""
        architecture = Architecture.from_configuration(runs[0].configuration, packed.modalities)
        layout = ParameterLayout.from_architecture(architecture)
        checkpoints = []
        for run in runs:
            drawn = [
                initialize_parameters(architecture, m.configuration, m.streams) for m in _make_members(packed, run)
            ]
            weights = np.stack([layout.flatten(tensors) for tensors in drawn])
            nothing = np.zeros_like(weights)
            checkpoints.append(Checkpoint(0, 0, float("nan"), [0] * packed.folds, weights, nothing, nothing, weights))
        return cls.resume(packed, runs, checkpoints, dtype)

    @classmethod
    def resume(
        cls, packed: PackedDataset, runs: Sequence[Run], checkpoints: Sequence[Checkpoint], dtype: torch.dtype
    ) -> _Pack:
        """Return a pack of runs restored from their checkpoints."""
        architecture = Architecture.from_configuration(runs[0].configuration, packed.modalities)
        layout = ParameterLayout.from_architecture(architecture)
        members = [member for run in runs for member in _make_members(packed, run)]
        device = packed.labels.device
        present = torch.tensor([[m.uses(name) for name in packed.modalities] for m in members], device=device)
        weights, first, second, best = (
            torch.from_numpy(np.concatenate([getattr(checkpoint, name) for checkpoint in checkpoints])).to(
                device, dtype
            )
            for name in ROW_FIELDS
        )
        configurations = [m.configuration for m in members]
        return cls(
            packed=packed,
            runs=runs,
            members=members,
            layout=layout,
            model=StackedModel(architecture, weights, present),
            best=StackedModel(architecture, best, present),
            optimizer=AdamW(
                parameters=weights,
                first=first,
                second=second,
                steps=torch.tensor(
                    [n for checkpoint in checkpoints for n in checkpoint.steps], dtype=torch.float32, device=device
                ),
                lr=[c.lr for c in configurations],
                weight_decay=[c.weight_decay for c in configurations],
                num_decayed=layout.num_decayed,
            ),
            objective=Objective.from_configurations(packed.task, configurations, packed.labels),
            progress=[_Progress(checkpoint.best_epoch, checkpoint.best_value) for checkpoint in checkpoints],
            folds=torch.tensor([m.fold for m in members], device=device),
        )

    def train_epoch(self, epoch: int, *, every_metric: bool) -> None:
        """Train every run that has not diverged on the train split once, then evaluate on validation."""
        running = self._train_steps(epoch)
        outputs = predict(self.model, self.packed, "valid", self.folds)
        for i, run in enumerate(self.runs):
            progress = self.progress[i]
            if progress.diverged:
                continue
            if not (
                np.isfinite(running[self._members_of(i)]).all()
                and np.isfinite(self._concatenate_folds(outputs, i, "valid")).all()
            ):
                progress.diverged, progress.value = epoch, float("nan")
                continue
            found = self._compute_metrics(outputs, i, "valid")
            name = run.objective.removeprefix("valid.")
            progress.value = found[name]
            shown = found if every_metric else {k: found[k] for k in ("loss", name)}
            progress.curve.append(
                {"epoch": epoch, "train.running_loss": float(running[self._members_of(i)].mean())}
                | {f"valid.{k}": v for k, v in shown.items()}
            )
            if progress.improves(progress.value, maximize=METRICS[name].maximize):
                progress.best_epoch, progress.best_value = epoch, progress.value
                self.best.rows[self._members_of(i)] = self.model.rows[self._members_of(i)]

    def _train_steps(self, epoch: int) -> Values:
        """Train one epoch; return the mean task loss over each member's batches, (K,)."""
        draws = EpochDraws(self.members, self.model.architecture, self.packed, epoch, self.packed.labels.dtype)
        diverged = [progress.diverged > 0 for progress in self.progress for _ in range(self.packed.folds)]
        leaves = [self.model.parameters[p.name].requires_grad_(True) for p in self.layout.parameters]
        total = torch.zeros_like(self.objective.prior)
        for step in range(draws.steps):
            batch = draws.batch(step)
            flat = batch.index.flatten()
            inputs = [x.index_select(0, flat).view(*batch.index.shape, -1) for x in self.packed.inputs]
            task, whole = self.objective(self.model, inputs, self.packed.labels[batch.index], batch)
            parts = [part.flatten(1) for part in torch.autograd.grad(whole.sum(), leaves)]
            torch.cat(parts, 1, out=self.optimizer.gradients[:, : self.layout.numel])
            active = [step < steps and not gone for steps, gone in zip(draws.steps_of, diverged, strict=True)]
            self.optimizer.step(active)
            total += task.detach()
        mean: Values = total.double().cpu().numpy() / np.array(draws.steps_of)
        return mean

    def finish(self, stop: int, *, confirm: bool, started: float) -> list[TrainResult]:
        """Return the result of every run at epoch `stop`."""
        last = stop == self.runs[0].epochs
        measured = self._measure(last=last)
        evaluations = predict_conditions(self.best, self.packed, self.members, self.folds) if confirm and last else {}
        share = (perf_counter() - started) / len(self.runs)
        return [
            self._make_result(i, stop, measured[i], evaluations, share, confirm=confirm) for i in range(len(self.runs))
        ]

    def _measure(self, *, last: bool) -> list[dict[str, float]]:
        """Return the metrics of every run: validation at its best epoch.

        After the last epoch they include test and train, for both the best and the last epoch.
        """
        views: list[tuple[str, StackedModel, SplitName]] = [("valid", self.best, "valid")]
        if last:
            views += [
                ("test", self.best, "test"),
                ("last.valid", self.model, "valid"),
                ("last.test", self.model, "test"),
            ]
        measured: list[dict[str, float]] = [{} for _ in self.runs]
        for prefix, model, split in views:
            outputs = predict(model, self.packed, split, self.folds)
            for i, found in enumerate(measured):
                found |= {f"{prefix}.{k}": v for k, v in self._compute_metrics(outputs, i, split).items()}
        if last:
            for name, model in (("train.loss", self.model), ("train.loss_best", self.best)):
                outputs = predict(model, self.packed, "train", self.folds)
                for i, found in enumerate(measured):
                    found[name] = self._compute_metrics(outputs, i, "train")["loss"]
        for name, values in measure_latents(self.best, self.packed, self.folds).items():
            for i, found in enumerate(measured):
                if self.members[i * self.packed.folds].uses(name.partition(".")[2]):
                    found[f"check.{name}"] = float(values[self._members_of(i)].mean())
        return measured

    def _make_result(
        self,
        i: int,
        stop: int,
        measured: dict[str, float],
        evaluations: dict[str, Values],
        seconds: float,
        *,
        confirm: bool,
    ) -> TrainResult:
        run, progress = self.runs[i], self.progress[i]
        if progress.diverged:
            outcome = Outcome("FAILED", "diverged", epoch=progress.diverged, curve=progress.curve, seconds=seconds)
            return TrainResult(outcome, None, None)
        last = stop == run.epochs
        outcome = Outcome(
            state="TRAINED",
            epoch=stop,
            value=progress.value,
            best_epoch=progress.best_epoch,
            metrics=measured,
            curve=progress.curve,
            evaluations=[self._make_evaluation(i, *item) for item in evaluations.items()],
            spectra=self._spectra(i) if confirm and last else {},
            seconds=seconds,
        )
        weights = None
        if confirm and last:
            weights = weights_to_bytes(self.layout, self._rows_of(self.best.rows, i))
        return TrainResult(outcome, None if last else self._make_checkpoint(i, stop), weights)

    def _make_evaluation(self, i: int, condition: str, outputs: Values) -> Evaluation:
        keeps = condition == "clean" or condition.startswith("missing:")
        predictions = self._concatenate_folds(outputs, i, "test").tolist() if keeps else ()
        return Evaluation(condition, self._compute_metrics(outputs, i, "test"), predictions)

    def _spectra(self, i: int) -> dict[str, list[float]]:
        """Return the spectra of a run, averaged over its folds."""
        c = self.runs[i].configuration
        members = [self.layout.unflatten(row) for row in self._rows_of(self.best.rows, i)]
        each = [compute_spectra(self.model.architecture, member, c.modalities, c.rank) for member in members]
        return {kind: [float(v) for v in np.mean([s[kind] for s in each], axis=0)] for kind in each[0]}

    def _make_checkpoint(self, i: int, epoch: int) -> bytes:
        progress, optimizer = self.progress[i], self.optimizer
        tensors = (self.model.rows, optimizer.first, optimizer.second, self.best.rows)
        steps = [int(n) for n in optimizer.steps[self._members_of(i)]]
        rows = (self._rows_of(tensor, i) for tensor in tensors)
        return Checkpoint(epoch, progress.best_epoch, progress.best_value, steps, *rows).to_bytes()

    def _rows_of(self, tensor: Tensor, i: int) -> Floats:
        """Return run i's rows (F, P) of a tensor (K, P), on the host."""
        rows: Floats = tensor[self._members_of(i)].detach().cpu().numpy()
        return rows

    def _compute_metrics(self, outputs: Values, i: int, split: SplitName) -> dict[str, float]:
        return compute_metrics(
            self.packed.task, self._concatenate_folds(outputs, i, split), self.packed.splits[split].labels
        )

    def _concatenate_folds(self, outputs: Values, i: int, split: SplitName) -> Values:
        return self.packed.splits[split].concatenate_folds(outputs[self._members_of(i)])

    def _members_of(self, i: int) -> slice:
        """Return the slice of run i's members."""
        return slice(i * self.packed.folds, (i + 1) * self.packed.folds)


def _make_members(packed: PackedDataset, run: Run) -> list[Member]:
    return [Member(run.configuration, fold, RandomStreams.from_run(run, fold)) for fold in range(packed.folds)]

"""Waves of configurations sampled by Optuna: a pure function of the observed trials and a seed.

An Optuna study exists only while one wave is sampled. It is built from the results of earlier waves, in the order of
their trials, and from a sampler with its own seed, so that a search resumed from the store continues as it would have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from tcray.config.domains import Choice, Domain, Int, LogInt, LogUniform, Uniform
from tcray.config.run import Configuration
from tcray.search.space import Space

optuna.logging.set_verbosity(optuna.logging.WARNING)  # otherwise each study logs its creation to stderr

REDRAWS = 100
"""The number of times that a configuration which was tried before is drawn again."""

TPE: Mapping[str, Any] = {"multivariate": True, "constant_liar": True, "group": False, "n_ei_candidates": 24}
"""The settings of the TPE sampler, pinned; `n_startup_trials` is the size of a wave."""


@dataclass(frozen=True, slots=True)
class ObservedTrial:
    """A past trial as the sampler observes it.

    `COMPLETE` with its objective; `PRUNED` with its value at the epoch `step`, or None if no trial has any; `FAIL` if
    the trial was never measured: a sampler ignores it.
    """

    configuration: Configuration
    state: Literal["COMPLETE", "PRUNED", "FAIL"]
    value: float | None = None
    step: int = 0


@dataclass(frozen=True)
class TrialSampler:
    """The Optuna sampler of one cell; `resolve` makes values of the tuned hyperparameters the cell's configuration."""

    space: Space
    resolve: Callable[[Mapping[str, Any]], Configuration]
    sampler: Literal["tpe", "random"]
    wave: int
    maximize: bool

    def propose(self, observed: Sequence[ObservedTrial], count: int, seed: int) -> tuple[Configuration, ...]:
        """Return `count` configurations, none of them observed before; fewer only if there are no new ones."""
        study = optuna.create_study(
            direction="maximize" if self.maximize else "minimize", sampler=self._make_sampler(seed)
        )
        for trial in observed:
            study.add_trial(self._to_frozen_trial(trial))
        tried = {trial.configuration for trial in observed}
        proposals: list[Configuration] = []
        while len(proposals) < count and (found := self._sample_new(study, tried, seed)) is not None:
            tried.add(found)
            proposals.append(found)
        return tuple(proposals)

    def _make_sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        if self.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.TPESampler(n_startup_trials=self.wave, seed=seed, **TPE)

    def _sample_new(self, study: optuna.Study, tried: set[Configuration], seed: int) -> Configuration | None:
        """Return a configuration not in `tried`; None if the space has no more.

        If all draws were tried before, take the first new one of a finite space, counting from a place set by `seed`.
        """
        size = self.space.size
        if size is not None and len(tried) >= size:
            return None
        for _ in range(1 + REDRAWS):
            trial = study.ask(self._distributions)
            found = self.resolve(trial.params)
            if found not in tried:
                return found
            study.tell(trial, state=TrialState.FAIL)
        every = (self.resolve(self.space.at((seed + i) % size)) for i in range(size)) if size is not None else ()
        return next((found for found in every if found not in tried), None)

    def _to_frozen_trial(self, trial: ObservedTrial) -> FrozenTrial:
        flat = trial.configuration.to_flat()
        value = {trial.step: trial.value} if trial.value is not None else {}
        return create_trial(
            state=TrialState[trial.state],
            value=trial.value,
            params={name: flat[name] for name in self.space.domains},
            distributions=self._distributions,
            intermediate_values=value if trial.state == "PRUNED" else {},
        )

    @cached_property
    def _distributions(self) -> dict[str, BaseDistribution]:
        return {name: _to_distribution(domain) for name, domain in self.space.domains.items()}


def _to_distribution(domain: Domain) -> BaseDistribution:
    match domain:
        case Uniform(low, high):
            return FloatDistribution(low, high)
        case LogUniform(low, high):
            return FloatDistribution(low, high, log=True)
        case Int(low, high):
            return IntDistribution(low, high)
        case LogInt(low, high):
            return IntDistribution(low, high, log=True)
        case Choice(options):
            return CategoricalDistribution(options)

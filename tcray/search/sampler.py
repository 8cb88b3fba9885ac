"""A wave of configurations from Optuna: a pure function of what it is told and of a seed, whatever was asked before.

The study lives as long as one wave is drawn. It is made of the results of the waves before, in the order of their
trials, and of a sampler with a seed of its own, so that a search taken up from the store goes on as it would have.
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

optuna.logging.set_verbosity(optuna.logging.WARNING)  # or each study announces itself on stderr

REDRAWS = 100
"""How often a configuration that was tried before is drawn again."""

TPE: Mapping[str, Any] = {"multivariate": True, "constant_liar": True, "group": False, "n_ei_candidates": 24}
"""What is pinned of the TPE sampler, beside `n_startup_trials`, which is the size of a wave."""


@dataclass(frozen=True, slots=True)
class ObservedTrial:
    """What Optuna hears of a trial.

    `COMPLETE` with its objective; `PRUNED` with its value at the epoch `step`, or none where no trial has any; `FAIL`
    of a trial that was never measured, which a sampler does not look at.
    """

    configuration: Configuration
    state: Literal["COMPLETE", "PRUNED", "FAIL"]
    value: float | None = None
    step: int = 0


@dataclass(frozen=True)
class TrialSampler:
    """Optuna's part in the search of one cell; `resolve` makes tuned values the cell's configuration."""

    space: Space
    resolve: Callable[[Mapping[str, Any]], Configuration]
    sampler: Literal["tpe", "random"]
    wave: int
    maximize: bool

    def propose(self, told: Sequence[ObservedTrial], count: int, seed: int) -> tuple[Configuration, ...]:
        """At most `count` configurations, none of them told before; fewer only where there are no new ones."""
        study = optuna.create_study(direction="maximize" if self.maximize else "minimize", sampler=self._sampler(seed))
        for trial in told:
            study.add_trial(self._frozen(trial))
        tried = {trial.configuration for trial in told}
        proposals: list[Configuration] = []
        while len(proposals) < count and (found := self._new(study, tried, seed)) is not None:
            tried.add(found)
            proposals.append(found)
        return tuple(proposals)

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        if self.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.TPESampler(n_startup_trials=self.wave, seed=seed, **TPE)

    def _new(self, study: optuna.Study, tried: set[Configuration], seed: int) -> Configuration | None:
        """A configuration not in `tried`: drawn, else the first from the place in a finite space that `seed` names."""
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

    def _frozen(self, told: ObservedTrial) -> FrozenTrial:
        """`told` as a finished trial of a study."""
        flat = told.configuration.to_flat()
        return create_trial(
            state=TrialState[told.state],
            value=told.value,
            params={name: flat[name] for name in self.space.domains},
            distributions=self._distributions,
            intermediate_values={told.step: told.value} if told.state == "PRUNED" and told.value is not None else {},
        )

    @cached_property
    def _distributions(self) -> dict[str, BaseDistribution]:
        return {name: _distribution(domain) for name, domain in self.space.domains.items()}


def _distribution(domain: Domain) -> BaseDistribution:
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

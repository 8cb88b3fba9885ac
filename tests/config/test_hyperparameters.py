"""The registry of hyperparameters."""

from __future__ import annotations

from dataclasses import fields

from tcray.config.hyperparameters import HYPERPARAMETERS, describe_unknown, find_hyperparameter
from tcray.config.run import Configuration


def test_the_registry_is_the_configuration() -> None:
    """The hyperparameters are the fields of a configuration; modality dropout is a family."""
    assert {field.name for field in fields(Configuration)} - {"modality_dropout"} == set(HYPERPARAMETERS)


def test_a_default_is_what_an_empty_configuration_resolves_to() -> None:
    """The defaults of strengths are set by `conditioning`."""
    flat = Configuration.resolve({}, ("text", "audio")).to_flat()
    defaults = {name: h.default for name, h in HYPERPARAMETERS.items() if h.default is not None}
    assert {name: flat[name] for name in defaults} == defaults
    assert {name for name in HYPERPARAMETERS if name not in defaults} == {
        "modalities",
        "prior_strength",
        "reconstruction_strength",
        "alignment_strength",
    }


def test_modality_dropout_is_a_family() -> None:
    """Any name may follow `modality_dropout.`; nothing else is found."""
    audio = find_hyperparameter("modality_dropout.audio")
    assert audio is not None
    assert (audio.name, audio.default) == ("modality_dropout.audio", 0.0)
    assert [
        find_hyperparameter(name) for name in ("modality_dropout", "modality_dropout.", "modality_dropout.a.b", "x")
    ] == [None] * 4


def test_domains_follow_from_the_type() -> None:
    """Whole numbers, numbers and words have domains; sets of modalities have none."""
    assert HYPERPARAMETERS["rank"].domains == ("int", "log_int", "choice")
    assert HYPERPARAMETERS["lr"].domains == ("uniform", "log_uniform", "choice")
    assert HYPERPARAMETERS["fusion"].domains == ("choice",)
    assert HYPERPARAMETERS["modalities"].domains == ()


def test_the_message_for_an_unknown_name_suggests_the_nearest() -> None:
    """For a modality dropout without its modality it explains the form."""
    assert describe_unknown("rnk") == 'no such hyperparameter; did you mean "rank"?'
    assert (
        describe_unknown("modality_dropout")
        == "no such hyperparameter; write modality_dropout.<modality>, as in modality_dropout.audio"
    )

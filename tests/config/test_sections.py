"""Sections of factors, tuned and fixed hyperparameters."""

from __future__ import annotations

import pytest

from tcray.config.domains import Choice, Int, LogInt, LogUniform, Uniform
from tests.config.conftest import Load, Problems


def test_levels_keep_file_order_and_have_the_hyperparameter_s_type(load: Load) -> None:
    """A strength of 1 is the number 1.0, a rank of 1 the whole number."""
    sweep = load("factors: {prior_strength: [0, 10, 1], rank: [2, 1], modality_dropout.audio: [0, 0.5]}\n")
    assert sweep.factors == {"prior_strength": (0.0, 10.0, 1.0), "rank": (2, 1), "modality_dropout.audio": (0.0, 0.5)}
    assert list(sweep.factors) == ["prior_strength", "rank", "modality_dropout.audio"]


def test_modalities_are_subsets_or_lists_of_names(load: Load, problems: Problems) -> None:
    """`subsets` is kept as a word because the modalities depend on the dataset."""
    assert load("factors: {modalities: subsets}\n").factors == {"modalities": "subsets"}
    explicit = load("factors: {modalities: [[text], [text, audio]]}\n")
    assert explicit.factors == {"modalities": (("text",), ("text", "audio"))}
    assert load("fixed: {modalities: [text]}\n").fixed == {"modalities": ("text",)}
    assert problems("factors: {modalities: all}\n") == [
        'x.yaml:5:23: factors.modalities: expected subsets or a list of levels, found "all"'
    ]
    assert problems("factors: {modalities: [text, [], [a, a], [a, b], [b, a]]}\n") == [
        'x.yaml:5:24: factors.modalities[0]: expected a list of modality names, found "text"',
        "x.yaml:5:30: factors.modalities[1]: expected at least one modality name, found an empty list",
        'x.yaml:5:38: factors.modalities[2][1]: "a" is given twice',
        "x.yaml:5:50: factors.modalities[4]: [b, a] is given twice",
    ]


def test_every_domain_is_read(load: Load) -> None:
    """Its bounds have the number type of its hyperparameter."""
    sweep = load(
        """\
tune:
  lr: {log_uniform: [1e-4, 1]}
  dropout: {uniform: [0, 0.5]}
  rank: {int: [1, 8]}
  latent_dim: {log_int: [4, 64]}
  hidden_dim: {choice: [16, 32]}
  prior_kernel: {choice: [rbf, imq]}
  modality_dropout.audio: {uniform: [0, 1]}
"""
    )
    assert dict(sweep.tune) == {
        "lr": LogUniform(1e-4, 1.0),
        "dropout": Uniform(0.0, 0.5),
        "rank": Int(1, 8),
        "latent_dim": LogInt(4, 64),
        "hidden_dim": Choice((16, 32)),
        "prior_kernel": Choice(("rbf", "imq")),
        "modality_dropout.audio": Uniform(0.0, 1.0),
    }


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ("factors: [rank]", "5:10: factors: expected hyperparameters by name, found a list"),
        ("factors: {rnk: [1]}", '5:11: factors.rnk: no such hyperparameter; did you mean "rank"?'),
        ("factors: {rank: []}", "5:17: factors.rank: expected at least one level, found an empty list"),
        ("factors: {rank: [1, 2, 1]}", "5:24: factors.rank[2]: 1 is given twice"),
        ("factors: {rank: [0, 1]}", "5:18: factors.rank[0]: expected at least 1, found 0"),
        ("factors: {rank: [1, four]}", '5:21: factors.rank[1]: expected a whole number, found "four"'),
        ("factors: {rank: [1, true]}", "5:21: factors.rank[1]: expected a whole number, found true"),
        ("factors: {rank: ['4']}", '5:18: factors.rank[0]: expected a whole number, found "4"'),
        (
            "factors: {rank: 4}",
            "5:17: factors.rank: expected a list of levels, found 4; a single value belongs under fixed",
        ),
        (
            "factors: {rank: {int: [1, 8]}}",
            "5:17: factors.rank: expected a list of levels, found a mapping; a domain belongs under tune",
        ),
        ("factors: {rank: }", "5:16: factors.rank: expected a list of levels, found nothing"),
        ("factors: {prior_strength: [-1]}", "5:28: factors.prior_strength[0]: expected at least 0, found -1"),
        ("factors: {prior_strength: [.inf]}", "5:28: factors.prior_strength[0]: expected a finite number, found inf"),
        ("factors: {dropout: [0, 1]}", "5:24: factors.dropout[1]: expected at least 0 and below 1, found 1"),
        (
            "factors: {modality_dropout.audio: [0, 1.5]}",
            "5:39: factors.modality_dropout.audio[1]: expected at least 0 and at most 1, found 1.5",
        ),
        (
            "factors: {modality_dropout: {audio: [0]}}",
            (
                "5:11: factors.modality_dropout: no such hyperparameter; "
                "write modality_dropout.<modality>, as in modality_dropout.audio"
            ),
        ),
        (
            "factors: {conditioning: [none, jwea]}",
            '5:32: factors.conditioning[1]: expected none, autoencoder, prior or jwae, found "jwea"',
        ),
        ("fixed: {rank: [1]}", "5:15: fixed.rank: expected a whole number, found a list"),
        ("fixed: {lr: 0}", "5:13: fixed.lr: expected above 0, found 0"),
        ("fixed: {weight_decay: .nan}", "5:23: fixed.weight_decay: expected a finite number, found nan"),
        ("fixed: {fusion: lmv}", '5:17: fixed.fusion: expected lmf, tensor or concat, found "lmv"'),
        ("fixed: {prior_kernel: no}", '5:23: fixed.prior_kernel: expected rbf or imq, found "no"'),
        ("tune: {lr: {log_uniform: [0, 1]}}", "5:27: tune.lr.log_uniform[0]: expected above 0, found 0"),
        (
            "tune: {weight_decay: {log_uniform: [0, 1]}}",
            "5:37: tune.weight_decay.log_uniform[0]: expected a low above 0 on a log scale, found 0.0",
        ),
        (
            "tune: {dropout: {uniform: [0, 1.0]}}",
            "5:31: tune.dropout.uniform[1]: expected at least 0 and below 1, found 1.0",
        ),
        (
            "tune: {dropout: {uniform: [0.5, 0.5]}}",
            "5:27: tune.dropout.uniform: expected low below high, found 0.5 and 0.5",
        ),
        ("tune: {rank: {int: [8, 1]}}", "5:20: tune.rank.int: expected low below high, found 8 and 1"),
        ("tune: {rank: {int: [0, 8]}}", "5:21: tune.rank.int[0]: expected at least 1, found 0"),
        ("tune: {rank: {uniform: [1, 8]}}", "5:15: tune.rank.uniform: rank is tuned over int, log_int or choice"),
        ("tune: {lr: {int: [1, 8]}}", "5:13: tune.lr.int: lr is tuned over uniform, log_uniform or choice"),
        ("tune: {lr: {loguniform: [1, 8]}}", '5:13: tune.lr.loguniform: no such domain; did you mean "log_uniform"?'),
        ("tune: {lr: {uniform: [1]}}", "5:22: tune.lr.uniform: expected [low, high], found a list of 1"),
        ("tune: {lr: {uniform: 1}}", "5:22: tune.lr.uniform: expected [low, high], found 1"),
        ("tune: {rank: {choice: []}}", "5:23: tune.rank.choice: expected at least one option, found an empty list"),
        ("tune: {rank: {choice: [2, 2]}}", "5:27: tune.rank.choice[1]: 2 is given twice"),
        (
            "tune: {lr: {uniform: [1, 2], log: true}}",
            "5:12: tune.lr: expected a domain such as {uniform: [low, high]}, found 2 keys",
        ),
        (
            "tune: {rank: [1, 2]}",
            (
                "5:14: tune.rank: expected a domain such as {int: [low, high]}, found a list; "
                "a list of levels belongs under factors"
            ),
        ),
        (
            "tune: {fusion: lmf}",
            (
                '5:16: tune.fusion: expected a domain such as {choice: […]}, found "lmf"; '
                "a single value belongs under fixed"
            ),
        ),
        (
            "tune: {modalities: {choice: [[text]]}}",
            "5:8: tune.modalities: modalities cannot be tuned; it may be a factor or fixed",
        ),
    ],
)
def test_invalid_values_of_roles_are_reported(section: str, sentence: str, problems: Problems) -> None:
    """There is one problem, at the position of the value."""
    assert problems(section + "\n") == [f"x.yaml:{sentence}"]

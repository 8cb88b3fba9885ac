from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tcray.claims.pseudovalues import pseudovalues
from tcray.config.metrics import METRICS, Task
from tcray.statistics.mean import Floats
from tcray.training.metrics import compute_metrics

EVERY = [(task, name) for name, metric in METRICS.items() for task in metric.tasks]


def make_test_set(task: Task, units: int = 4, examples: int = 60) -> tuple[Floats, Floats, NDArray[np.str_]]:
    """Return predictions, labels and groups of unequal sizes, with ties, exact zeros and neutral labels."""
    rng = np.random.default_rng(5)
    if task == "regression":
        label = np.round(rng.uniform(-3, 3, examples) * 5) / 5
        label[::7] = 0.0
    else:
        label = (rng.uniform(size=examples) < 0.4).astype(float)
    prediction = np.round(label + rng.normal(0.3, 1.5, (units, examples)), 1)
    prediction[:, ::11] = 0.0
    group = np.array(["video b", "video a", "talk", "c", "d"])[rng.choice(5, examples, p=[0.1, 0.1, 0.2, 0.2, 0.4])]
    return prediction, label, group


def plain_pseudovalues(metric: str, task: Task, prediction: Floats, label: Floats, group: NDArray[np.str_]) -> Floats:
    """Return pseudo-values by definition: the metric is recomputed without each group."""
    names = sorted(set(group))
    rows = []
    for row in prediction:
        whole = compute_metrics(task, row, label)[metric]
        without = [compute_metrics(task, row[group != name], label[group != name])[metric] for name in names]
        pseudo = np.array([len(names) * whole - (len(names) - 1) * left for left in without])
        rows.append(pseudo - pseudo.mean() + whole)
    return np.array(rows)


@pytest.mark.parametrize(("task", "metric"), EVERY)
def test_pseudovalues_equal_the_jackknife_definition(task: Task, metric: str) -> None:
    """For every metric the result equals recomputation with `tcray.training.metrics` on the remaining examples."""
    prediction, label, group = make_test_set(task)
    found = pseudovalues(metric, prediction, label, list(group), task=task)
    expected = plain_pseudovalues(metric, task, prediction, label, group)
    assert found.shape == (4, 5)
    assert found == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize(("task", "metric"), EVERY)
def test_mean_over_groups_is_the_units_metric(task: Task, metric: str) -> None:
    """Pseudo-values average to the metric in the tables, so both intervals are centered on it."""
    prediction, label, group = make_test_set(task)
    expected = [compute_metrics(task, row, label)[metric] for row in prediction]
    assert pseudovalues(metric, prediction, label, list(group), task=task).mean(1) == pytest.approx(expected)


@pytest.mark.parametrize(("task", "metric"), EVERY)
def test_every_example_may_be_its_own_group(task: Task, metric: str) -> None:
    """Datasets without speakers use their examples as groups."""
    prediction, label, _ = make_test_set(task)
    names = np.array([f"{number:03}" for number in range(label.size)])
    expected = plain_pseudovalues(metric, task, prediction, label, names)
    assert pseudovalues(metric, prediction, label, list(names), task=task) == pytest.approx(expected, abs=1e-10)


def test_groups_of_one_size_have_their_own_mean_error() -> None:
    """For groups of equal size the jackknife of a mean returns each group's own mean."""
    prediction, label, _ = make_test_set("regression")
    group = np.repeat(["a", "b", "c"], 20)
    expected = np.abs(prediction - label).reshape(4, 3, 20).mean(2)
    assert pseudovalues("mae", prediction, label, list(group), task="regression") == pytest.approx(expected)


def test_groups_of_unequal_size_are_weighted_by_size() -> None:
    """With errors 1 and 0 in groups of 3 and 1, T = 3/4, so 2T - 0 = 3/2 and 2T - 1 = 1/2, both minus 1/4."""
    found = pseudovalues("mae", [[1.0, 1.0, 1.0, 0.0]], [0.0] * 4, ["a", "a", "a", "b"], task="regression")
    assert found == pytest.approx(np.array([[1.25, 0.25]]))


def test_spread_of_pseudovalues_is_the_jackknifes_variance() -> None:
    """Their variance over G is (G - 1) / G Σ (T_g - mean T_g)²."""
    prediction, label, group = make_test_set("classification")
    names = sorted(set(group))
    left = [compute_metrics("classification", prediction[0][group != n], label[group != n])["auroc"] for n in names]
    pseudo = pseudovalues("auroc", prediction, label, list(group), task="classification")[0]
    assert pseudo.var(ddof=1) / 5 == pytest.approx(4 / 5 * ((np.array(left) - np.mean(left)) ** 2).sum())


def test_groups_are_in_alphabetical_order_for_any_order_of_examples() -> None:
    """Cells that list their examples in different orders are still paired by column."""
    prediction, label, group = make_test_set("regression")
    shuffled = np.random.default_rng(0).permutation(label.size)
    expected = pseudovalues("r", prediction, label, list(group), task="regression")
    found = pseudovalues("r", prediction[:, shuffled], label[shuffled], list(group[shuffled]), task="regression")
    assert found == pytest.approx(expected)


def test_without_the_last_positive_there_is_no_auroc() -> None:
    """A ValueError names the group without which AUROC is undefined."""
    with pytest.raises(ValueError, match=r"^auroc of unit 0 \(from 0\) without group 'b' is undefined$"):
        pseudovalues("auroc", [[0.1, 0.2, 0.3]], [0, 0, 1], ["a", "c", "b"], task="classification")


def test_without_the_only_nonneutral_group_there_is_no_nonzero_accuracy() -> None:
    """`acc2_nonzero` excludes neutral labels, and without group b only neutral labels remain."""
    with pytest.raises(ValueError, match=r"^acc2_nonzero of unit 0 \(from 0\) without group 'b' is undefined$"):
        pseudovalues("acc2_nonzero", [[0.1, 0.2, 0.3]], [0, 0, 1], ["a", "c", "b"], task="regression")


def test_without_the_only_predictions_that_vary_there_is_no_correlation() -> None:
    """Unit 1 predicts a large constant outside group b; rounding errors do not count as variation."""
    prediction = np.full((2, 30), 1e6 + 0.1)
    prediction[0] += np.arange(30)
    prediction[1, :3] = [1.0, 2.0, 3.0]
    label, group = np.linspace(-3, 3, 30), ["b"] * 3 + ["a"] * 10 + ["c"] * 17
    with pytest.raises(ValueError, match=r"^r of unit 1 \(from 0\) without group 'b' is undefined$"):
        pseudovalues("r", prediction, label, group, task="regression")


@pytest.mark.parametrize(
    ("metric", "task", "prediction", "message"),
    [
        ("r", "regression", [[0.1] * 4], r"^r of unit 0 \(from 0\) is undefined$"),
        ("mae", "regression", [[0.1] * 4, [0.1, np.inf, 0, 0]], r"^mae of unit 1 \(from 0\) is undefined$"),
        ("auroc", "classification", [[0.1, np.nan, 0, 0]], r"^auroc of unit 0 \(from 0\) is undefined$"),
    ],
)
def test_a_metric_that_is_undefined_is_named(
    metric: str, task: Task, prediction: list[list[float]], message: str
) -> None:
    """Constant predictions have no correlation, and predictions that are not finite have no MAE or AUROC."""
    with pytest.raises(ValueError, match=message):
        pseudovalues(metric, prediction, [0, 1, 1, 0], ["a", "a", "b", "b"], task=task)


@pytest.mark.parametrize(
    ("metric", "task", "group", "message"),
    [
        ("mae", "classification", ["a", "b"], "classification has no metric 'mae'"),
        ("kappa", "regression", ["a", "b"], "regression has no metric 'kappa'"),
        ("mae", "regression", ["a", "a"], "the variation between groups needs at least 2 groups, not 1"),
        ("mae", "regression", ["a"], r"got prediction \(1, 2\), label \(2,\), group \(1,\)"),
    ],
)
def test_invalid_inputs_raise_a_value_error(metric: str, task: Task, group: list[str], message: str) -> None:
    """The error names a metric of the other task, a single group, or a mismatch of shapes."""
    with pytest.raises(ValueError, match=message):
        pseudovalues(metric, [[0.5, 0.2]], [0, 1], group, task=task)

"""A dataset prepared for packs: padded, per fold, in blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tcray.data.dataset import standardize_features
from tcray.training.packed_dataset import BLOCK_ROWS, SPLITS, PackedDataset
from tests.factories import make_dataset


def test_row_f_n_plus_i_is_example_i_under_fold_f() -> None:
    """Inputs are the standardized features of each fold, concatenated, their columns padded to multiples of 16."""
    dataset = make_dataset({"text": 30, "audio": 16}, (60, 20, 20), folds=3)
    packed, features = PackedDataset.from_dataset(dataset), standardize_features(dataset)
    assert (packed.folds, packed.examples) == (3, 100)
    for x, (name, width) in zip(packed.inputs, dataset.card.modalities.items(), strict=True):
        assert x.shape == (300, {"text": 32, "audio": 16}[name])
        assert torch.equal(x[:, :width], features[name].flatten(0, 1))
        assert not x[:, width:].any()
    assert torch.equal(packed.labels, dataset.labels.repeat(3))


@pytest.mark.parametrize("folds", [1, 3])
def test_blocks_cover_every_members_own_split(folds: int) -> None:
    """Each member receives its fold's rows in blocks of a fixed size; padding repeats the first row."""
    dataset = make_dataset({"text": 30, "audio": 17}, (160, 80, 70), folds=folds)
    packed, features = PackedDataset.from_dataset(dataset), standardize_features(dataset)
    members = torch.tensor([0, folds - 1, 0])
    for name in SPLITS:
        blocks = list(packed.splits[name].blocks(members))
        assert all(rows.stop - rows.start == BLOCK_ROWS == x.shape[1] for rows, inputs in blocks for x in inputs)
        for k, (modality, width) in enumerate(dataset.card.modalities.items()):
            seen = torch.cat([inputs[k] for _, inputs in blocks], 1)[..., :width]
            for member, fold in enumerate(members.tolist()):
                rows = getattr(dataset.splits[fold], name)
                assert torch.equal(seen[member, : len(rows)], features[modality][fold, rows])
                assert torch.equal(seen[member, len(rows) :], seen[member, :1].expand(len(seen[0]) - len(rows), -1))


def test_values_are_concatenated_over_folds() -> None:
    """Without padding, the folds' test values cover every example once, in the order of the labels."""
    dataset = make_dataset(sizes=(60, 20, 20), folds=3)
    table = PackedDataset.from_dataset(dataset).splits["test"]
    examples = np.stack([np.resize(rows, table.inputs[0].shape[1]) for rows in table.indices]).astype(float)
    assert sorted(table.concatenate_folds(examples)) == list(range(100))
    assert np.array_equal(table.labels, dataset.labels.numpy()[table.concatenate_folds(examples).astype(int)])
    assert table.mask().sum(1).tolist() == [len(split.test) for split in dataset.splits]

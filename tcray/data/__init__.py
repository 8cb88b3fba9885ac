"""Multimodal datasets as tensors, whatever file they came in, and the twins that stand in for them.

The catalogue is all that planning needs, so it is all that is re-exported here; tensors are in `tcray.data.dataset`.
"""

from tcray.data.catalog import Card, dataset_names, find_card, format_import_command

__all__ = ["Card", "dataset_names", "find_card", "format_import_command"]

"""Multimodal datasets as tensors, readers of published files, and synthetic twins.

Only the catalog is re-exported here, because planning needs nothing else; tensors are in `tcray.data.dataset`.
"""

from tcray.data.catalog import Card, dataset_names, find_card, format_import_command

__all__ = ["Card", "dataset_names", "find_card", "format_import_command"]

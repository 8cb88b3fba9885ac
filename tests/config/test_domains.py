"""Domains as documents."""

from __future__ import annotations

import pytest

from tcray.config.domains import Choice, Domain, Int, LogInt, LogUniform, Uniform, from_document


@pytest.mark.parametrize(
    ("domain", "document"),
    [
        (Uniform(0.0, 0.5), {"uniform": [0.0, 0.5]}),
        (LogUniform(3e-4, 1e-2), {"log_uniform": [3e-4, 1e-2]}),
        (Int(1, 8), {"int": [1, 8]}),
        (LogInt(1, 16), {"log_int": [1, 16]}),
        (Choice(("rbf", "imq")), {"choice": ["rbf", "imq"]}),
    ],
)
def test_a_document_has_the_form_of_the_file(domain: Domain, document: dict[str, list[object]]) -> None:
    """The domain of a document is the original one."""
    assert document == domain.to_document()
    assert domain == from_document(document)

"""Where a fix puts its imports: told without reading the whole module."""

from __future__ import annotations

import pytest

from pitfall_lint.semantic.heading import Heading, heading_of
from pitfall_lint.semantic.outline import Outline
from pitfall_lint.source import Source


@pytest.mark.parametrize(
    ("text", "before", "behind"),
    [
        pytest.param("", 0, 0, id="nothing"),
        pytest.param("import os\n", 0, 1, id="an import"),
        pytest.param("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\nX = 1\n", 2, 0, id="comments"),
        pytest.param('"""Text\n\nimport os\n"""\nX = 1\n', 4, 4, id="docstring that speaks of imports"),
        pytest.param('"""Text."""\n\nfrom __future__ import annotations\n\nX = 1\n', 3, 3, id="future"),
        pytest.param('"""Text."""\nfrom __future__ import annotations\nimport os\n', 2, 3, id="behind future"),
        pytest.param(
            "import os\n\nX = {\n    1: 2,\n}\nimport sys\n\n\ndef f():\n    import re\n", 0, 6, id="late import"
        ),
        pytest.param("try:\n    import a\nexcept ImportError:\n    a = None\n\nX = 1\n", 0, 4, id="in a try"),
        pytest.param("from a import (\n    b,\n    c,\n)\n\n\nclass D:\n    import e\n", 0, 4, id="brackets"),
        pytest.param("import a; b = 1\n@a\ndef f(): ...\nimport c\n", 0, 1, id="decorated"),
        pytest.param("X = 1\nimport os\n", 0, 2, id="code first"),
        pytest.param("import os\nX = (\n", 0, 1, id="half typed"),
        pytest.param("\ufeffimport os\r\nX = 1\r\n", 0, 1, id="BOM and CRLF"),
    ],
)
def test_heading(text: str, before: int, behind: int) -> None:
    assert heading_of(Outline(Source("it.py", text.encode()))) == Heading(before, behind)

"""Examples of docstrings as code blocks: mkdocstrings reads bare `>>>` lines as running text."""

from __future__ import annotations

from typing import Any

import griffe


class Examples(griffe.Extension):
    """Put every run of lines that begins with `>>>` and ends with a blank one between fences."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the text of one object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Return a text whose examples stand between fences.

    >>> print(fenced("One more.\\n>>> 1 + 1\\n2"))
    One more.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    lines: list[str] = []
    inside = False
    for line in [*text.splitlines(), ""]:
        if line.startswith(">>>") and not inside:
            lines += ["", "```pycon"]
            inside = True
        if inside and not line.strip():
            lines.append("```")
            inside = False
        # The sign of a literal block, which follows it indented.
        lines.append(line.removesuffix(":") if line.endswith("::") else line)
    return "\n".join(lines).rstrip()

"""Add a line to a YAML file of a person, whose comments, blanks and order stay as they are.

PyYAML says where each node lies in the text; the text itself is changed there, line by line. What a
changed text means is for the caller to check before it is written.
"""

from __future__ import annotations

import yaml


def root_of(text: str) -> yaml.Node | None:
    """Return the root node of a YAML text; None where it holds nothing but comments."""
    return yaml.compose(text, Loader=yaml.SafeLoader)


def mapping_below(node: yaml.Node | None, name: str) -> yaml.MappingNode | None:
    """Return the mapping under a key; None where the key is missing or holds something else."""
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if key.value == name:
            return value if isinstance(value, yaml.MappingNode) else None
    return None


def line_after(lines: list[str], value: yaml.Node) -> int:
    """Return the line after a value, before the blank and comment lines that follow."""
    end: int = value.end_mark.line
    # A block ends where the next key begins, any other value in its own line.
    if not isinstance(value, yaml.CollectionNode) or value.flow_style:
        end += 1
    while end > 0:
        last = lines[end - 1].strip()
        if last and not last.startswith("#"):
            break
        end -= 1
    return end


def with_line(lines: list[str], position: int, line: str) -> str:
    """Return the text of `lines` with one more before `position`; `line` has no end of its own."""
    # The last line of a file may lack its end.
    if position and not lines[position - 1].endswith("\n"):
        lines = [*lines[: position - 1], lines[position - 1] + "\n", *lines[position:]]
    return "".join([*lines[:position], f"{line}\n", *lines[position:]])


def with_last_line(text: str, line: str) -> str:
    """Return a text with one more line at its end."""
    lines = text.splitlines(keepends=True)
    return with_line(lines, len(lines), line)


def with_entry(text: str, mapping: yaml.Node | None, line: str) -> str | None:
    """Return a text with one more entry at the end of a mapping or list that is in block style.

    None where it is empty or written in brackets, so that a person must write the line.
    """
    if not isinstance(mapping, yaml.CollectionNode) or mapping.flow_style or not mapping.value:
        return None
    last = mapping.value[-1]
    if isinstance(mapping, yaml.MappingNode):
        last = last[1]
    lines = text.splitlines(keepends=True)
    indent = " " * mapping.start_mark.column
    return with_line(lines, line_after(lines, last), indent + line)

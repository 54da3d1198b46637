"""Parameters in reports.yaml and on the command line: text stays text, and dangerous YAML is refused with its line."""

from __future__ import annotations

import pytest

from dataops_nb import workbench
from dataops_nb.definitions import nodes
from dataops_nb.errors import UsageError
from dataops_nb.reports import plan
from tests.reports.test_refresh import DAY, make, weekly

ODD = ["007", "1_000", "no", "12:30", "0x10", "None", "nan", "1e999", "0o17", "+1", "١"]


def planned(root, said=None, **parameters):
    made = make(root, weekly("one"), one=["1"])
    if said is not None:
        path = root / "params" / "reports.yaml"
        path.write_text(
            path.read_text().replace("one.ipynb}", f"one.ipynb, parameters: {{{said}}}}}")
        )
    known = workbench.open(root).definitions
    return plan.reports(known, made.notebooks, as_of=DAY, parameters=parameters)[0].parameters


@pytest.mark.parametrize("value", ODD)
def test_text_stays_text_in_a_file_and_on_the_command_line(tmp_path, value):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    quoted = f'"{value}"' if value == "+1" else value  # a bare +1 is a number in YAML
    assert planned(tmp_path / "a", f"word: {quoted}")["word"] == value
    assert planned(tmp_path / "b", word=value)["word"] == value


@pytest.mark.parametrize("value", [value for value in ODD if value not in {"+1"}])
def test_what_only_looks_like_a_number_is_refused_where_a_number_is_declared(tmp_path, value):
    with pytest.raises(UsageError, match="'weeks' is a whole number"):
        planned(tmp_path, weeks=value)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands here a second time; the first is on line 1"),
        (BOMB, 2, "the alias *a is not read"),
        (
            "a: 1\nb: !!python/object/apply:os.system ['true']\n",
            2,
            "the tag !!python/object/apply:os.system is not read",
        ),
    ],
)
def test_dangerous_yaml_is_refused_with_its_line(text, line, said):
    _, mistakes = nodes.parse(text, "reports.yaml")
    assert any(mistake.line == line and said in mistake.message for mistake in mistakes)


def test_an_alias_is_never_expanded():
    root, _ = nodes.parse(BOMB, "reports.yaml")
    assert len(repr(root.plain())) < 10 * len(BOMB)

"""Every public name of the helper package has an example, and each example gives the result that stands below it."""

import doctest
import inspect

import pytest

from tests import shop

PUBLIC = {
    "periods": ["calendar", "Period", "dimension"],
    "alignment": ["from_frame", "combine", "Target", "add_targets", "align"],
    "limits": ["add_limits", "xmr", "Rules"],
    "pacing": ["add_pace"],
    "status": ["Agreement", "judge", "light"],
    "drivers": ["explain", "lmdi", "shapley"],
    "links": ["find"],
    "reconciliation": ["bridge", "rows"],
    "board": ["Board", "of", "read", "scale"],
    "story": [
        "explained", "findings", "headline", "lines", "links", "luck", "movement", "now", "opening", "others", "paced",
        "record", "tiles", "to_do", "under", "why",
    ],
    "charts": ["by_segment", "compare", "eisenhower", "moving_range", "trend", "waterfall"],
    "tables": ["links", "scorecard", "six_twelve", "split"],
    "controls": ["explore", "readers"],
    "workbench": [
        "Workbench", "as_of", "ensure_data", "furnish", "init", "new_department", "new_event", "new_report", "open",
        "settle", "share",
    ],
}  # fmt: skip
# the words of a company's report; tests/test_words.py says each of the sample company, too
WORDS = {
    "reconciliation": ["declared"],
    "story": [
        "action", "agreements", "changed", "first", "for_departments", "mind", "moved", "notes", "pairs", "pitch",
        "reactions", "restated", "solving", "track", "untold", "what_changed", "worth",
    ],
    "charts": ["bridge"],
    "tables": [
        "admission", "agreed", "bridge", "changed", "communications", "doors", "feeds", "leads", "levels", "lights", "moved",
        "owners", "pitch_gate", "provenance", "reactions", "receipts", "refreshed", "rows_apart", "shortlist",
        "solve_next", "stale", "track", "understood",
    ],
}  # fmt: skip
# the same as a plain entry, from the rows of a company
OF_COMPANY = {"board": ["measure"], "drivers": ["of_company"], "links": ["of_company"]}
EXAMPLES = [*PUBLIC.items(), *WORDS.items(), *OF_COMPANY.items()]
NAMES = [(package, name) for package, listed in EXAMPLES for name in listed]


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return shop.names(tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize(("package", "name"), NAMES, ids=str)
def test_every_example_of_a_public_name_gives_its_result(known, package, name):
    public = getattr(known[package], name)
    if not inspect.getdoc(public) or ">>>" not in inspect.getdoc(public):
        pytest.fail(f"{package}.{name} has no example")
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said = []
    for example in finder.find(public, name, globs=dict(known)):
        runner.run(example, out=said.append)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("package", PUBLIC)
def test_a_door_names_what_is_public_and_nothing_else(known, package):
    public = [*PUBLIC[package], *WORDS.get(package, [])]
    assert sorted(known[package].__all__) == sorted(public)

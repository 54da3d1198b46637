"""Turns: JupyterLab speaks to a kernel in several threads, and the panel answers one thing at a time."""

import gc
import re
import threading
import time
from pathlib import Path

from dataops_nb.controls.widgets import in_turn

CONTROLS = Path(__file__).parents[2] / "src" / "dataops_nb" / "controls"


def test_what_comes_from_two_threads_is_answered_one_after_the_other():
    steps = []

    def act(name):
        steps.append(f"{name} begins")
        time.sleep(0.02)
        steps.append(f"{name} ends")

    threads = [threading.Thread(target=in_turn(act), args=(name,)) for name in "ab"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    first, second = steps[0][0], steps[2][0]
    assert steps == [f"{first} begins", f"{first} ends", f"{second} begins", f"{second} ends"]


def test_what_is_called_within_a_turn_does_not_wait_for_its_end():
    said = []
    in_turn(in_turn(lambda: said.append("inner")))()
    assert said == ["inner"]


def test_what_is_noted_is_noted_before_the_wait():
    said, stands = [], ["before"]
    waiting = threading.Thread(target=in_turn(said.append, lambda: stands[0]))

    def act():
        waiting.start()
        waiting.join(0.05)
        stands[0] = "after"

    in_turn(act)()
    waiting.join()
    assert said == ["before"]


def test_rubbish_is_looked_for_between_the_turns_and_never_where_somebody_has_forbidden_it():
    seen = []
    in_turn(in_turn(lambda: seen.append(gc.isenabled())))()
    assert (seen, gc.isenabled()) == ([False], True)
    gc.disable()
    try:
        in_turn(lambda: None)()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_every_handler_of_a_widget_takes_its_turn():
    handlers = [
        call
        for path in sorted(CONTROLS.glob("*.py"))
        for call in re.findall(r"\.(?:observe|on_click)\(.{8}", path.read_text(encoding="utf-8"))
    ]
    assert handlers
    assert [call for call in handlers if not call.endswith("(in_turn(")] == []

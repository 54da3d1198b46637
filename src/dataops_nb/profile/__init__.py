"""Files that nobody has described yet: what their rows seem to be, a first draft of the company's files, and why.

A guess is never silent: each stands in the draft beside its reason, and `look` shows the figures behind it.
"""

from __future__ import annotations

from dataops_nb.profile.drafting import Draft, draft
from dataops_nb.profile.guesses import Guess
from dataops_nb.profile.looking import Look, look
from dataops_nb.profile.writing import ASKED, write

__all__ = ["ASKED", "Draft", "Guess", "Look", "draft", "look", "write"]

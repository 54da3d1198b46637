"""The form: one page for each variant of a pitch, which works without a network, and who is to read which.

What is right stays with us, in the private history: a page holds the pitch, the questions and no answer.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from random import Random
from urllib.parse import quote

from dataops_nb.errors import PublishError, UsageError

LIGHTS = {"green": "● Green", "yellow": "▲ Yellow", "red": "■ Red"}
WAYS = {"up": "It went up", "level": "It did not change", "down": "It went down"}
ALTITUDES = ("executive", "manager", "analyst")
SURE = {"1": "guessing", "2": "unsure", "3": "fairly sure", "4": "sure", "5": "certain"}


@dataclass(frozen=True)
class Trial:
    """One comparison: the metric, each variant as readers see it, what is right, and the choices that are offered.

    `actions` are what was agreed to be done for each colour; `way` is null where the metric has no period before.
    """

    metric: str
    label: str
    as_of: str
    period: str
    variants: Mapping[str, str]
    light: str
    way: str | None
    actions: Mapping[str, str]
    departments: Mapping[str, str]
    readers: int = 0
    seed: int = 20
    difference: Sequence[float] = field(default=(0.6, 0.8))

    @property
    def id(self) -> str:
        """A name made of what readers see and what is right, so that answers to another text are told apart."""
        whole = [self.metric, self.as_of, dict(self.variants), self.light, self.way, dict(self.actions)]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:10]


def assign(trial: Trial) -> list[tuple[str, str]]:
    """`(reader, variant)`: so many readers of each variant, in an order that chance decides and the seed repeats."""
    rng = Random(f"{trial.id}:{trial.seed}")  # noqa: S311  an order, no secret
    names = sorted(trial.variants)
    order: list[str] = []
    while len(order) < trial.readers * len(names):
        block = list(names)
        rng.shuffle(block)
        order += block
    return [(f"r{place:03d}", variant) for place, variant in enumerate(order, start=1)]


def write(out: Path, trial: Trial, mail: str | None = None) -> list[Path]:
    """Write the pages (`a.html`, …) and `readers.csv` (who is to read which) into `out/messages/METRIC`; their paths.

    What is right is kept apart from them, in `out/history/trials`.

    Raises UsageError where fewer than two variants can be shown, PublishError where nothing can be written.
    """
    if len(trial.variants) < 2:
        raise UsageError(f"{trial.metric} needs two pitches that pass their gate to compare; see dataops-nb check")
    table = io.StringIO()
    rows = [(reader, variant, f"{variant}.html") for reader, variant in assign(trial)]
    csv.writer(table, lineterminator="\n").writerows([("reader", "variant", "page"), *rows])
    folder = out / "messages" / trial.metric
    files = {folder / f"{name}.html": form(trial, name, mail) for name in trial.variants}
    files |= {
        folder / "readers.csv": table.getvalue(),
        _kept(out, trial.metric): json.dumps(asdict(trial), indent=1) + "\n",
    }
    try:
        for path, text in files.items():
            path.parent.mkdir(mode=0o700 if "history" in path.parts else 0o755, parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PublishError(f"cannot write the forms into {folder}: {error.strerror or error}") from error
    return [path for path in files if path.parent == folder]


def read_trial(out: Path, metric: str) -> Trial:
    """The trial of a metric whose forms were written last; UsageError where there is none."""
    try:
        return Trial(**json.loads(_kept(out, metric).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UsageError(f"there is no trial of {metric}; make one with  dataops-nb message form {metric}") from None


def _kept(out: Path, metric: str) -> Path:
    return out / "history" / "trials" / f"{metric}.json"


def form(trial: Trial, variant: str, mail: str | None = None) -> str:
    """The page of one variant: the pitch, then the questions. It asks nothing from anywhere; answers leave as file or mail."""
    about = {"schema_version": 1, "trial": trial.id, "metric": trial.metric, "variant": variant}
    script = _SCRIPT.replace("ABOUT", json.dumps(about)).replace("MAIL", json.dumps(quote(mail) if mail else ""))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; form-action mailto:"
    actions = dict.fromkeys(trial.actions.values())
    questions = [
        _choices("colour", "Which light does this number have?", LIGHTS | {"cannot tell": "The text does not say"}),
        _choices("direction", "Which way did it go?", WAYS | {"cannot tell": "The text does not say"}),
        _choices(
            "action",
            "What should happen now?",
            {text: text for text in actions} | {"cannot tell": "The text does not say"},
        ),
        '<p><label for="words">What does it mean for your own work?</label>'
        '<textarea id="words" name="words" rows="3"></textarea></p>',
        _choices("sure", "How sure are you?", SURE),
        _list("department", "Your department", dict(trial.departments)),
        _list("altitude", "You are", {"executive": "an executive", "manager": "a manager", "analyst": "an analyst"}),
        '<p><label for="reader">Your reader number (on the invitation)</label><input id="reader" name="reader" required></p>',
    ]
    target = (
        f' action="mailto:{quote(mail)}?subject={quote("What I understood")}" method="post" enctype="text/plain"'
        if mail
        else ""
    )
    send = '<button type="button" id="mail">Send as mail</button>' if mail else ""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(str(value))}">' for name, value in about.items()
    )
    return _PAGE.format(
        policy=policy, label=escape(trial.label), pitch=escape(trial.variants[variant]), target=target, send=send,
        hidden=hidden, questions="\n".join(questions), script=script,
    )  # fmt: skip


def _choices(name: str, title: str, options: Mapping[str, str]) -> str:
    rows = "".join(
        f'<label><input type="radio" name="{name}" value="{escape(value)}" required> {escape(text)}</label>'
        for value, text in options.items()
    )
    return f"<fieldset><legend>{escape(title)}</legend>{rows}</fieldset>"


def _list(name: str, title: str, options: Mapping[str, str]) -> str:
    rows = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options.items())
    first = '<option value="">Please choose</option>'
    chosen = f'<select id="{name}" name="{name}" required>{first}{rows}</select>'
    return f'<p><label for="{name}">{escape(title)}</label>{chosen}</p>'


_SCRIPT = """
const about = ABOUT, mail = MAIL, form = document.querySelector("form");
const answer = () => {
  if (!form.reportValidity()) return null;
  const said = Object.fromEntries(new FormData(form));
  return JSON.stringify({...said, ...about}, null, 1);
};
document.getElementById("save").addEventListener("click", () => {
  const text = answer();
  if (text === null) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
  link.download = "answer-" + about.metric + "-" + form.reader.value.replace(/[^a-z0-9]/gi, "") + ".json";
  link.click();
  document.getElementById("done").textContent = "Saved. Please send the file back to whoever sent you this page.";
});
if (mail) document.getElementById("mail").addEventListener("click", () => {
  const text = answer();
  if (text !== null) location.href = "mailto:" + mail + "?subject=What%20I%20understood&body=" + encodeURIComponent(text);
});
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{label}: what do you understand?</title>
<style>
:root {{ color-scheme: light dark }}
body {{ max-width: 40rem; margin: 1.5rem auto; padding: 0 1rem; font: 1.06rem/1.5 system-ui, sans-serif }}
blockquote {{ margin: 1rem 0; padding: .8rem 1rem; border-left: 4px solid #1f5fa8; font-size: 1.25rem }}
fieldset {{ border: 1px solid #8a94a0; margin: 1rem 0 }}
fieldset label {{ display: block; padding: .25rem 0; min-height: 24px }}
p label {{ display: block }}
textarea, input:not([type=radio]), select, button {{ box-sizing: border-box; font: inherit; width: 100%; padding: .4rem }}
button {{ width: auto; margin: .4rem .6rem .4rem 0; min-height: 44px }}
</style>
</head>
<body>
<main>
<h1>What do you understand?</h1>
<p>Read this once, as if somebody had said it to you in the corridor. There is no trick; we test the text, not you.</p>
<blockquote>{pitch}</blockquote>
<form{target}>
{hidden}
{questions}
<p><button type="button" id="save">Save the answer as a file</button>{send}</p>
<p id="done" role="status"></p>
</form>
</main>
<script>{script}</script>
</body>
</html>
"""

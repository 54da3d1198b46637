"""The form: one page for each variant of a pitch, which works without a network.

What is right stays with us, in the private history, and so does who reads which (`readers`): a page holds the pitch, the
questions and no answer.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from pathlib import Path
from urllib.parse import quote

from dataops_nb.errors import PublishError, UsageError
from dataops_nb.messages.readers import numbered

LIGHTS = {"green": "● Green", "yellow": "▲ Yellow", "red": "■ Red"}
WAYS = {"up": "It went up", "level": "It did not change", "down": "It went down"}
UNSAID, WORDS = "cannot tell", "What does it mean for your own work?"
SURE = {"1": "guessing", "2": "unsure", "3": "fairly sure", "4": "sure", "5": "certain"}


@dataclass(frozen=True)
class Trial:
    """One comparison: the metric, each variant as readers see it, what is right, and the choices that are offered.

    `actions` are what was agreed to be done for each colour; `way` is null where the metric has no period before. `readers` of
    each variant are invited; the secret `seed` decides who reads which.
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
    seed: int = 0
    difference: Sequence[float] = field(default=(0.6, 0.8))

    @property
    def id(self) -> str:
        """A name made of what readers see and what is right, so that answers to another text are told apart."""
        whole = [self.metric, self.as_of, dict(self.variants), self.light, self.way, dict(self.actions)]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:10]


def assign(trial: Trial) -> dict[str, str]:
    """`{reader: variant}` of everybody who is invited, in their order; only who has the trial's seed can tell."""
    return numbered(trial.id, trial.seed, sorted(trial.variants), trial.readers)


def write(out: Path, trial: Trial, mail: str | None = None) -> tuple[Trial, list[Path]]:
    """Write the pages (`a.html`, …) into `out/messages/METRIC`; the trial as it is kept, and their paths with the invitations'.

    What is right, and who reads which, is kept in `out/history/trials`. The same pitches written again are the same trial:
    who was invited stays invited, and more readers are added behind.

    Raises UsageError where fewer than two variants can be shown, PublishError where nothing can be written.
    """
    if len(trial.variants) < 2:
        raise UsageError(f"{trial.metric} needs two pitches that pass their gate to compare; see dataops-nb check")
    kept = _continued(out, trial)
    folder, private = out / "messages" / trial.metric, _kept(out, trial.metric)
    files = {folder / f"{name}.html": form(kept, name, mail) for name in kept.variants}
    invited = private.with_name(f"{trial.metric}.readers.csv")
    files |= {invited: _invitations(kept), private: json.dumps(asdict(kept), indent=1) + "\n"}
    try:
        for path, text in files.items():
            path.parent.mkdir(mode=0o700 if "history" in path.parts else 0o755, parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PublishError(f"cannot write the forms into {folder}: {error.strerror or error}") from error
    return kept, [path for path in files if path != private]


def _continued(out: Path, trial: Trial) -> Trial:
    """The trial with the seed it has had, and as many readers, where its forms were written before; else with a new seed."""
    try:
        before = read_trial(out, trial.metric)
    except UsageError:
        before = None
    if before is not None and before.id == trial.id:
        return replace(trial, seed=before.seed, readers=max(before.readers, trial.readers))
    return trial if trial.seed else replace(trial, seed=secrets.randbits(48))


def _invitations(trial: Trial) -> str:
    """Each reader's number with the link to send: the page of their variant, which then knows the number."""
    table = io.StringIO()
    rows = [(reader, variant, f"{variant}.html#{reader}") for reader, variant in assign(trial).items()]
    csv.writer(table, lineterminator="\n").writerows([("reader", "variant", "page"), *rows])
    return table.getvalue()


def read_trial(out: Path, metric: str) -> Trial:
    """The trial of a metric whose forms were written last; UsageError where there is none."""
    try:
        return Trial(**json.loads(_kept(out, metric).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UsageError(f"there is no trial of {metric}; make one with  dataops-nb message form {metric}") from None


def _kept(out: Path, metric: str) -> Path:
    return out / "history" / "trials" / f"{metric}.json"


def questions(trial: Trial) -> dict[str, tuple[str, dict[str, str]]]:
    """What every reader is asked, by the name of the answer: the question, and the choices with their words."""
    unsaid = {UNSAID: "The text does not say"}
    actions = {text: text for text in dict.fromkeys(trial.actions.values())}
    return {
        "colour": ("Which light does this number have?", LIGHTS | unsaid),
        "direction": ("Which way did it go?", WAYS | unsaid),
        "action": ("What should happen now?", actions | unsaid),
        "sure": ("How sure are you?", SURE),
        "department": ("Your department", dict(trial.departments)),
        "altitude": ("You are", {"executive": "an executive", "manager": "a manager", "analyst": "an analyst"}),
    }


def form(trial: Trial, variant: str, mail: str | None = None) -> str:
    """The page of one variant: the pitch, then the questions. It asks nothing from anywhere; answers leave as file or mail."""
    about = {"schema_version": 1, "trial": trial.id, "metric": trial.metric, "variant": variant}
    told = {"ABOUT": json.dumps(about).replace("<", r"\u003c"), "MAIL": json.dumps(quote(mail) if mail else "")}
    script = re.sub("ABOUT|MAIL", lambda hit: told[hit[0]], _SCRIPT)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; form-action mailto:"
    asked = questions(trial)
    choices = [_choices(name, *asked[name]) for name in ("colour", "direction", "action")]
    said = [
        *choices,
        f'<p><label for="words">{WORDS}</label><textarea id="words" name="words" rows="3"></textarea></p>',
        _choices("sure", *asked["sure"]),
        *(_list(name, *asked[name]) for name in ("department", "altitude")),
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
        hidden=hidden, questions="\n".join(said), script=script,
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
const about = ABOUT, mail = MAIL, form = document.querySelector("form"), invited = location.hash.slice(1);
if (/^[a-z0-9]+$/.test(invited)) { form.reader.value = invited; form.reader.readOnly = true; }
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

"""Forty strings that somebody may have typed or exported, and the pages that carry one of them through every channel.

What would run sets `window.hit`, what would load asks port 9 of this machine; the others break what is written carelessly: markup,
JSON, CSS, templates, tables, terminals.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from nbformat import v4

from dataops_nb import display as display_
from dataops_nb.messages import trials
from dataops_nb.reports import pages
from dataops_nb.reports.delivery import formats
from dataops_nb.reports.pages import archive, figures, front_page, notebook
from dataops_nb.reports.pages.cards import MetricCard, More

AWAY = "http://127.0.0.1:9/x"
STRINGS = [
    "<script>window.hit=1</script>",
    "<ScRiPt >window.hit=1</sCrIpT>",
    f"<script src={AWAY}.js></script>",
    "</script><script>window.hit=1</script>",
    "</title></style></textarea><script>window.hit=1</script>",
    "<!--><script>window.hit=1</script>-->",
    "]]><script>window.hit=1</script><![CDATA[",
    "<img src=x onerror=window.hit=1>",
    "\"><img src=x onerror='window.hit=1'>",
    "' autofocus onfocus='window.hit=1' tabindex='1",
    '" style="animation-name:x" onanimationstart="window.hit=1',
    "<svg onload=window.hit=1></svg>",
    "<svg><a xlink:href='javascript:window.hit=1'><text y=20>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.hit=1&gt;'>",
    "<details open ontoggle=window.hit=1><summary>x</summary></details>",
    "<body onload=window.hit=1><base href='http://127.0.0.1:9/'>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    f"<object data={AWAY}></object><embed src={AWAY}>",
    f"<link rel=stylesheet href={AWAY}.css><style>@import '{AWAY}.css';</style>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<form action={AWAY}><button autofocus>x</button></form>",
    f"<video poster={AWAY} src={AWAY} autoplay onloadstart=window.hit=1>",
    f"<div style='background:url({AWAY});width:expression(window.hit=1)'>x</div>",
    "<a href='javascript:window.hit=1' id=facts>click</a>",
    f"![x]({AWAY}.png) [x](javascript:window.hit=1) <javascript:window.hit=1>",
    f"[x]: {AWAY}\n\n# heading\n\n```\n</code></pre><script>window.hit=1</script>",
    "&lt;script&gt;window.hit=1&lt;/script&gt; &#60;script&#62; &amp;lt; &quot;&#39;",
    "${window.hit=1} {{constructor.constructor('window.hit=1')()}} {% raw %} <%= hit %>",
    "{closed_won.value} {0} {won.__class__} %(x)s %n $PATH `id` \\N{BULLET}",
    "'; window.hit=1; // \"; window.hit=1; //",
    "line\u2028separator\u2029paragraph\u0085next",
    "\u202egnirts \u2066reversed\u2069\u200f\u200b\ufeff",
    "null\x00byte \x07bell \x1b[31mred\x1b[0m \x1b]8;;http://127.0.0.1:9/x\x07link\x1b]8;;\x07",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0 +1 -1 \t=1",
    "👩‍👩‍👧‍👦🏳️‍🌈 ẞ ﷽ Z̸̢̛a̵l̷g̶o̴ 日本語 עברית",
    "wo" + "o" * 3_000 + "rd",
    "../../../etc/passwd C:\\Windows\\win.ini file:///etc/passwd",
    "'; drop table deals; -- \" or 1=1",
    "NaN null undefined [object Object] None true 1e999",
]  # fmt: skip
HARMLESS = "plain words"
ROW = {
    "metric": "won",
    "segment": None,
    "grain": "week",
    "period": "2026-W47",
    "value": 41,
    "complete": True,
}


def display(mime, content):
    return v4.new_output("display_data", data={mime: content})


def cell(source, outputs, tag):
    made = v4.new_code_cell(source, outputs=outputs)
    made.metadata["tags"] = [tag]
    return made


def report(said: str):
    """An executed notebook with a string in every place that data, definitions or people fill."""
    chart = {
        "title": {"text": said, "subtitle": said}, "description": said, "data": {"values": [{"week": said, "won": 1}, {"week": "W47", "won": 2}]},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {"x": {"field": "week", "type": "nominal", "title": said}, "y": {"field": "won", "type": "quantitative"},
                     "tooltip": {"field": "week"}},
    }  # fmt: skip
    table = f"<table><caption>{said}</caption><thead><tr><th>{said}</th></tr></thead><tbody><tr><td>{said}</td></tr></tbody></table>"
    fact = dict.fromkeys(notebook.FACT) | {"id": "won.value", "metric": "won", "period": "2026-W47", "field": "value", "value": 41,
                                        "unit": said, "text": "41", "segment": said}  # fmt: skip
    told = [
        {"text": f"41 won. {said}", "facts": ["won.value"], "kind": "headline", "light": "yellow"},
        {"text": f"{said}", "facts": [], "kind": "line", "light": "red"},
        {"text": f"{said}: 41", "facts": ["won.value"], "kind": "line"},
    ]
    meaning = {"label": said, "question": said, "how": said, "systems": [said], "data_to": said}
    source = {
        "source": said,
        "system": said,
        "owner": said,
        "files": [said],
        "rows": 1,
        "sha256": said,
        "notes": said,
    }
    payload = {
        "schema_version": 1, "complete": True, "company": said, "title": said, "owner": said, "department": said, "as_of": "2026-11-22",
        "period": "2026-W47", "data_to": "2026-11-22", "light": "unknown", "reason": said, "headline": said, "facts": [fact], "names": [said],
        "rows": [ROW | {"segment": said, said: said}], "warnings": [said], "sources": [source], "meanings": {"won": meaning},
    }  # fmt: skip
    words = v4.new_markdown_cell(
        f"# {said}\n\n## Part {said}\n\n- {said}\n\n`{said}`\n\n| {said} |\n|---|\n| {said} |\n\n> {said}"
    )
    words.metadata["tags"] = ["executive"]
    shown = [
        display(display_.SENTENCES, {"sentences": told}), display(figures.MIME, chart), display("text/html", table + said),
        display("text/markdown", said), display("text/plain", said), v4.new_output("stream", name="stdout", text=said),
        display("image/svg+xml", said), display("application/javascript", said),
    ]  # fmt: skip
    return v4.new_notebook(
        cells=[
            words,
            cell(said, shown, "executive"),
            cell("record", [display(notebook.MIME, payload)], "facts"),
        ]
    )


def write(folder: Path, said: str) -> dict[str, Path]:
    """Every kind of page that carries the string, by its kind; the mail as a mail program shows it."""
    place = folder / "sales" / "2026-W47"
    place.mkdir(parents=True)
    meta = pages.Meta("sales", "1.0", {"department": said, said: said}, whatif=said)
    files = pages.files(report(said), meta)
    files |= formats.files(("eml", "slack", "ipynb"), report(said), "sales", files)
    for name, content in files.items():
        (place / name).write_bytes(content)
    value = dict.fromkeys(notebook.FACT) | {"id": "won.value", "metric": "won", "period": "2026-W47", "field": "value", "value": 41,
                                         "unit": said, "text": "41"}  # fmt: skip
    why = value | {"id": "won.reason", "field": "reason", "value": said, "text": said}
    found = {
        "kind": said,
        "metrics": ["won"],
        "text": f"41 {said}",
        "facts": [value],
        "names": [said],
    }
    entry = front_page.Entry(
        "sales", said, "sales/2026-W47/index.html", said, said, "unknown", said, said, (said,), (value,), None, (found,),
        ({"text": said, "facts": [], "names": [said]},), "2026-W47", "2026-11-22", "2026-11-21",
    )  # fmt: skip
    late = front_page.Entry("sdr", said, failure="failed", failed_as_of="2026-11-22", error=said)
    card = MetricCard(
        metric="won",
        label=said,
        department=said,
        owner=said,
        question=said,
        unit=said,
        report="sales",
        path="sales/2026-W47/index.html",
        facts={"value": value, "reason": why},
        said={"text": f"41 {said}", "facts": [value]},
    )
    more = More({"won": card}, ["won"])
    (folder / "index.html").write_text(
        front_page.build(
            said, [entry, late], dt.date(2026, 11, 22), pages.WhatIf(said, (said,)), more
        )
    )
    past = archive.Past("2026-W47", "2026-11-22", "unknown", said, f"41 {said}", [value])
    (folder / "sales" / "index.html").write_text(
        archive.build(said, said, [past], pages.WhatIf(said, (said,)))
    )
    trial = trials.Trial(
        "won",
        said,
        "2026-11-22",
        "2026-W47",
        {"a": said, "b": said},
        "green",
        "up",
        {"green": said},
        {said: said},
        2,
        1,
    )
    (folder / "form.html").write_text(trials.form(trial, "a", "a@example.com"))
    return {
        "front page": folder / "index.html", "archive": folder / "sales" / "index.html", "form": folder / "form.html",
        **{name: place / file for name, file in pages.FILES.items()}, "mail": place / "report.eml",
    }  # fmt: skip


assert len(STRINGS) == len(set(STRINGS)) == 40

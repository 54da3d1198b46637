"""Pages: what a reader sees of a notebook, and what can never reach him."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import itertools
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4

from dataops_nb import display
from dataops_nb.errors import PublishError, ReportError
from dataops_nb.reports import pages, redaction, site
from dataops_nb.reports.pages import figures, front_page, markup, seals
from dataops_nb.reports.pages import notebook as notebook_

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
META = pages.Meta("sales", "1.2.3", {"department": "sales", "as_of": "2026-11-22"})
FACT = {
    "id": "won.value", "metric": "won", "segment": None, "period": "2026-W47", "field": "value", "value": 41,
    "unit": "deals", "text": "41",
}  # fmt: skip
SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "title": {"text": "Won deals fell", "subtitle": "a week"},
    "description": "Two weeks: 45, then 41.",
    "data": {"values": [{"week": "W46", "won": 45}, {"week": "W47", "won": 41}]},
    "mark": "bar",
    "encoding": {
        "x": {"field": "week", "type": "nominal"},
        "y": {"field": "won", "type": "quantitative"},
    },
}


def payload(**changes):
    said = {
        "schema_version": 1, "complete": True, "company": "Lumen Supply", "department": "Sales", "title": "Sales",
        "owner": "Head of Sales", "as_of": "2026-11-22", "grain": "week", "period": "2026-W47", "data_to": "2026-11-21",
        "light": "yellow", "reason": None, "headline": "41 deals won.", "facts": [FACT], "rows": [], "sources": [],
        "warnings": [],
    }  # fmt: skip
    return said | changes


def markdown(source, *tags):
    cell = v4.new_markdown_cell(source)
    cell.metadata["tags"] = list(tags)
    return cell


def code(source, *outputs, tags=()):
    cell = v4.new_code_cell(source, outputs=list(outputs))
    cell.metadata["tags"] = list(tags)
    return cell


def shown(mime, content, metadata=None):
    return v4.new_output(
        "display_data", data={mime: content, "text/plain": "plain words"}, metadata=metadata or {}
    )


def sentences(*said):
    return shown(display.SENTENCES, {"sentences": list(said)})


def sentence(text, *used, kind="line", light=None):
    """A sentence as a notebook keeps it: words that rest on facts."""
    spans = [{"text": text, "name": True}, *({"text": "", "fact": id_} for id_ in used)]
    return {"text": text, "facts": list(used), "spans": spans, "kind": kind, "light": light}


def notebook(*cells, **changes):
    return v4.new_notebook(
        cells=[
            *cells,
            code("record(board)", shown(notebook_.MIME, payload(**changes)), tags=["facts"]),
        ]
    )


def test_each_page_keeps_the_cells_of_its_altitude_and_above():
    nb = notebook(
        markdown("boss", "executive"),
        markdown("chief", "manager"),
        markdown("nerd", "analyst"),
        markdown("untagged"),
    )
    seen = {
        name: [w for w in ("boss", "chief", "nerd", "untagged") if w in pages.build(nb, name, META)]
        for name in pages.FILES
    }
    assert seen == {
        "executive": ["boss"],
        "manager": ["boss", "chief"],
        "analyst": ["boss", "chief", "nerd", "untagged"],
    }


def test_code_is_folded_for_analysts_and_absent_elsewhere():
    nb = notebook(code("secret_sauce()", shown("text/plain", "42"), tags=["executive"]))
    assert "secret_sauce" not in pages.build(nb, "executive", META)
    assert "secret_sauce" not in pages.build(nb, "manager", META)
    assert re.search(
        r"<details[^>]*><summary>Code</summary><pre[^>]*><code>secret_sauce",
        pages.build(nb, "analyst", META),
    )


@pytest.mark.parametrize("tag", ["parameters", "injected-parameters"])
def test_the_parameters_cells_are_never_shown(tag):
    assert "hidden_value" not in pages.build(
        notebook(code("hidden_value = 1", tags=[tag])), "analyst", META
    )


def test_stdout_is_for_analysts_and_stderr_for_nobody():
    out = v4.new_output("stream", name="stdout", text="printed <b>")
    err = v4.new_output("stream", name="stderr", text="complained")
    nb = notebook(code("f()", out, err, tags=["executive"]))
    assert "printed" not in pages.build(nb, "executive", META)
    analyst = pages.build(nb, "analyst", META)
    assert "printed &lt;b&gt;" in analyst
    assert "complained" not in analyst


def test_a_flood_of_printed_lines_is_cut_with_a_note():
    nb = notebook(code("f()", v4.new_output("stream", name="stdout", text="line\n" * 200_000)))
    html = pages.build(nb, "analyst", META)
    assert len(html) < 300_000
    assert "more characters not shown" in html


def test_every_sentence_is_a_paragraph_or_an_item_with_its_facts():
    up = FACT | {"id": "won.change", "field": "change", "value": 3, "text": "3"}
    said = sentences(
        sentence("41 won.", "won.value", kind="headline", light="yellow"),
        sentence("Up 3.", "won.change"),
    )
    html = pages.build(
        notebook(code("s", said, tags=["executive"]), facts=[FACT, up]), "executive", META
    )
    assert '<p data-facts="won.value">41 won.</p>' in html
    assert '<li data-facts="won.change">Up 3.</li>' in html
    assert "▲</span> Yellow" in html


def test_the_facts_that_a_page_uses_travel_in_it():
    nb = notebook(
        code("s", sentences(sentence("41 won.", "won.value", kind="headline")), tags=["executive"]),
        facts=[FACT, FACT | {"id": "other.value"}],
    )
    html = pages.build(nb, "executive", META)
    travelling = json.loads(re.search(r'id="facts">(.*?)</script>', html)[1])
    assert [fact["id"] for fact in travelling["facts"]] == ["won.value"]
    (said,) = travelling["sentences"]
    assert (said["text"], said["facts"], said["kind"]) == ("41 won.", ["won.value"], "headline")
    assert said["spans"] == [{"text": "41 won.", "name": True}, {"text": "", "fact": "won.value"}]


def test_a_sentence_with_a_fact_that_is_not_there_is_refused():
    with pytest.raises(ReportError, match=r"'won\.target'"):
        pages.build(
            notebook(code("s", sentences(sentence("x", "won.target")), tags=["executive"])),
            "executive",
            META,
        )


def test_a_page_without_a_headline_starts_with_that_of_the_facts():
    html = pages.build(notebook(light="unknown", reason="stale"), "executive", META)
    assert "◇</span> Late" in html
    assert "<p>41 deals won.</p>" in html


def test_a_heading_alone_is_left_out_where_nothing_follows_it():
    cells = [markdown("## Empty", "executive"), markdown("## Kept\n\nwith words", "executive")]
    html = pages.build(notebook(*cells, markdown("## Last", "executive")), "executive", META)
    assert "<h2>Kept</h2>" in html
    assert "Empty" not in html
    assert "<h2>Last</h2>" not in html


def test_a_page_can_be_given_its_way_to_the_next_period():
    html = pages.build(notebook(), "executive", META)
    assert 'rel="next"' not in html
    linked = pages.with_later(html)
    assert '<a rel="next" href="../index.html#after-2026-W47">Later ›</a>' in linked
    assert seals.page(linked) == []
    assert pages.with_later(linked) == linked


def test_a_what_if_says_what_differs_in_banner_and_footer():
    meta = pages.Meta("sales", "1.0", whatif="more", differs=("Meetings: target 95 instead of 65",))
    html = pages.build(notebook(), "executive", meta)
    assert "<strong>What-if “more”, not the real report</strong>" in html
    assert "<li>Meetings: target 95 instead of 65.</li>" in html
    assert "<dd>more: Meetings: target 95 instead of 65</dd>" in html


def test_tiles_and_what_to_do_are_one_text_each_and_travel_with_their_kind():
    tile = {
        "text": "Won: 41 · on its way · fewer (worse)",
        "spans": [
            {"text": "Won", "name": True},
            {"text": ": "},
            {"text": "41", "fact": "won.value"},
            {"text": " · on its way · fewer (worse)"},
        ],
        "kind": "tile",
        "past": {"values": [45, 41], "description": "Won, two weeks", "target": 45},
    }
    told = [
        shown(display.SENTENCES, {"sentences": [tile]}),
        shown(
            display.SENTENCES,
            {"sentences": [{"text": "Do it."}], "heading": "What to do", "boxed": True},
        ),
    ]
    html = pages.build(notebook(code("x", *told, tags=["executive"])), "executive", META)
    assert '<div class="nb-todo"><h2 id="what-to-do">What to do</h2>' in html
    assert '<span class="nb-tilepart nb-worse">fewer (worse)</span>' in html
    assert 'aria-label="Won, two weeks"' in html
    carried = json.loads(seals.FACTS.search(html)[1])["sentences"]
    assert [sentence.get("kind") for sentence in carried] == ["tile", "to do"]
    assert seals.page(html) == []


def test_warnings_stand_before_everything_else():
    html = pages.build(
        notebook(markdown("Hello", "executive"), warnings=["deals <is> stale"]), "executive", META
    )
    assert html.index("deals &lt;is&gt; stale") < html.index("Hello")


def test_the_header_and_footer_say_when_whose_and_how():
    html = pages.build(notebook(), "manager", META)
    for said in (
        "as of <time",
        "22 Nov 2026",
        "21 Nov 2026",
        "Head of Sales",
        "department sales",
        "dataops-nb 1.2.3",
    ):
        assert said in html
    assert '<a href="manager.html" aria-current="page">Manager</a>' in html
    assert 'href="../../index.html"' in html


def test_the_notebooks_title_is_not_repeated_and_headings_start_at_h2():
    html = pages.build(
        notebook(markdown("# Sales\n\nWhy?\n\n# More\n\n###### Deep", "executive")),
        "executive",
        META,
    )
    assert html.count("<h1>") == 1
    assert "<h2>More</h2>" in html
    assert "<h4>Deep</h4>" in html


def test_the_sources_are_for_analysts():
    source = {
        "source": "deals",
        "system": "CRM",
        "owner": None,
        "files": ["deals.csv"],
        "rows": 1234,
        "data_to": "2026-11-22",
    }
    nb = notebook(sources=[source | {"sha256": "ab" * 32}])
    assert "deals.csv" not in pages.build(nb, "manager", META)
    assert '<td class="nb-num">1,234</td>' in pages.build(nb, "analyst", META)


def test_the_run_id_comes_from_the_content_only():
    html = pages.build(notebook(), "executive", META)
    assert html == pages.build(notebook(), "executive", META)
    run = re.search(r"<dt>Run</dt><dd><code>([0-9a-f]{12})</code>", html)[1]
    other = pages.build(notebook(light="red"), "executive", META)
    assert run not in other


def test_repeated_builds_are_the_same_bytes_charts_included():
    nb = notebook(code("c", shown(figures.MIME, SPEC), tags=["executive"]))
    assert pages.files(nb, META) == pages.files(nb, META)


def test_a_report_is_five_files():
    assert sorted(pages.files(notebook(), META)) == sorted(
        [*pages.FILES.values(), "facts.json", "numbers.csv"]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"complete": False}, "incomplete"),
        ({"schema_version": 2}, "schema 2"),
        ({"facts": [FACT, FACT]}, r"'won\.value' appears 2 times"),
        ({"facts": [FACT | {"value": float("nan")}]}, "infinite number or NaN"),
    ],
)
def test_facts_that_cannot_be_used_are_refused(change, message):
    with pytest.raises(ReportError, match=message):
        pages.files(notebook(**change), META)


def test_a_notebook_without_facts_is_no_report():
    with pytest.raises(ReportError, match="stopped before its last cell"):
        notebook_.of(v4.new_notebook(cells=[code("x = 1")]))


def test_a_cell_with_an_error_is_no_report_and_is_counted_as_the_author_counts():
    error = v4.new_output(
        "error", ename="ValueError", evalue="bad\nmore", traceback=["secret path"]
    )
    nb = notebook(
        code("a", tags=["parameters"]), code("a", tags=["injected-parameters"]), code("b", error)
    )
    with pytest.raises(ReportError, match=r"^cell 2: ValueError: bad$"):
        notebook_.of(nb)


def test_facts_json_has_the_contracts_keys():
    document = json.loads(notebook_.as_json(payload(facts=[FACT | {"extra": 1}]), "sales"))
    assert document == {
        "schema_version": 1,
        "report": "sales",
        "as_of": "2026-11-22",
        "facts": [FACT],
    }


def test_numbers_csv_holds_no_formula():
    rows = [
        {"metric": "=cmd()", "value": -3, "note": "@x", "ok": True},
        {"metric": "won", "value": None, "late": "+1"},
    ]
    read = list(csv.DictReader(io.StringIO(notebook_.as_csv(payload(rows=rows)).decode())))
    assert read[0] == {"metric": "'=cmd()", "value": "-3", "note": "'@x", "ok": "true", "late": ""}
    assert read[1]["value"] == ""
    assert read[1]["late"] == "'+1"


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src=//evil></iframe>",
    "<table><tr><td onclick=alert(1) style='background:url(//evil)'>x</td></tr></table>",
    "<p id=facts>x</p>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "<form action=//evil><input></form>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<style>@import '//evil'</style>",
    "<base href=//evil>",
    "<div class='nb-chip evil' data-light='pink'>x</div>",
    "<link rel=stylesheet href=//evil>",
    "<details open ontoggle=alert(1)>",
]
ALIVE = re.compile(
    r"<(script|img|svg|a|iframe|meta|form|input|math|style|base|link)\b|\son\w+=|javascript:|url\(|\sid=|evil\"|pink",
    re.I,
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_markup_of_a_notebook_is_dead(hostile):
    assert not ALIVE.search(markup.clean(hostile))
    assert not re.search(
        r"<(script|img|svg|a|iframe|meta|form|table|math|style|base|link)\b",
        markup.markdown(hostile),
    )


@given(st.text())
def test_no_text_ends_a_script_element_or_opens_a_tag(said):
    assert "<" not in markup.data({"said": said})
    assert json.loads(markup.data({"said": said})) == {"said": said}
    assert not re.search(r"[<>\"']", markup.text(said))


def test_tables_keep_their_structure_and_scroll_in_a_frame_of_their_own():
    html = markup.clean(
        '<table border=1 class="nb-table x"><caption>Feeds</caption><thead><tr><th colspan=2>a</th></tr></thead>'
        '<tbody><tr><th>b</th><td class="nb-number" style="x:y">1</td></tr></tbody></table>'
    )
    assert html.startswith(
        '<div class="nb-scroll" role="region" aria-label="Feeds" tabindex="0"><table class="nb-table">'
    )
    assert '<th scope="col" colspan="2">a</th>' in html
    assert '<th scope="row">b</th><td class="nb-number">1</td>' in html


def test_the_lights_of_a_notebooks_table_are_kept():
    assert markup.clean('<span class="nb-chip" data-light="red">■ Red</span>') == (
        '<span class="nb-chip" data-light="red">■ Red</span>'
    )


def test_a_notebooks_class_is_kept_only_where_the_style_sheet_knows_it():
    assert {"nb-table", "nb-chip", "nb-number"} <= markup.classes()
    assert markup.clean('<p class="nb-invented">x</p>') == '<p class="">x</p>'


def test_of_several_outputs_the_richest_known_is_shown():
    html = pages.build(
        notebook(code("x", shown("text/html", "<p>rich</p>"), tags=["executive"])),
        "executive",
        META,
    )
    assert "<p>rich</p>" in html
    assert "plain words" not in html


def test_an_unknown_type_and_an_svg_fall_back_to_their_text():
    svg = shown("image/svg+xml", "<svg onload='alert(1)'/>")
    html = pages.build(
        notebook(code("x", shown("application/x-odd", "odd"), svg, tags=["executive"])),
        "executive",
        META,
    )
    assert html.count("plain words") == 2
    assert "onload" not in html


def html_of(*outputs, tag="executive"):
    return pages.build(notebook(code("x", *outputs, tags=[tag])), "executive", META)


@pytest.mark.parametrize(
    ("mime", "content"),
    [
        ("text/html", "<div id='p'></div><script>Plotly.newPlot('p', [])</script>"),
        ("text/html", "<iframe srcdoc='a map'></iframe>"),
        ("text/html", "<img src='https://elsewhere.example/a.png'>"),
        ("image/svg+xml", "<svg><path d='M0 0'/></svg>"),
        ("application/vnd.bokehjs_exec.v0+json", ""),
    ],
)
def test_a_figure_that_cannot_be_shown_leaves_its_text_and_names_its_cell(mime, content):
    html = html_of(shown(mime, content))
    assert "Cell 1 shows a figure that a page cannot show" in html
    assert "plain words" in html
    assert seals.page(html) == []


def test_a_figure_that_cannot_be_shown_leaves_its_picture():
    both = shown("text/html", "<script>draw()</script>")
    both.data["image/png"] = PNG
    html = html_of(both)
    assert f"base64,{PNG}" in html
    assert "cannot show" not in html


def test_what_only_says_that_there_is_html_is_left_out():
    figure = shown("text/html", "<script>draw()</script>")
    figure.data["text/plain"] = "<IPython.core.display.HTML object>"
    html = html_of(figure)
    assert "Cell 1 shows a figure" in html
    assert "IPython.core" not in html


@pytest.mark.parametrize(
    ("mime", "content"),
    [("text/html", "<style>p {}</style>"), ("text/html", ""), ("application/json", {"k": 1})],
)
def test_what_is_no_figure_needs_no_note(mime, content):
    assert "cannot show" not in html_of(shown(mime, content))


def test_a_png_travels_in_the_page_with_its_text_alternative():
    output = shown("image/png", PNG, {"image/png": {"alt": 'A "plot"'}})
    html = pages.build(notebook(code("x", output, tags=["executive"])), "executive", META)
    assert f'<img alt="A &#34;plot&#34;" src="data:image/png;base64,{PNG}">' in html


def test_an_image_that_is_none_is_refused():
    with pytest.raises(ReportError, match="not"):
        pages.build(
            notebook(code("x", shown("image/png", base64.b64encode(b"<svg/>").decode()))),
            "analyst",
            META,
        )


def test_a_chart_is_a_picture_with_a_text_alternative_and_its_finding_as_caption():
    html = figures.figure(SPEC, "f1")
    assert "<figcaption><strong>Won deals fell</strong>" in html
    assert html.count('role="img" aria-label="Two weeks: 45, then 41."') == 2
    assert "http://www.w3.org/1999/xlink" not in html


def test_the_ids_of_two_charts_differ():
    clipped = SPEC | {"mark": {"type": "line", "clip": True}}
    ids = re.findall(
        r' id="([^"]+)"', figures.figure(clipped, "f1") + figures.figure(clipped, "f2")
    )
    assert ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "change",
    [
        {"mark": {"type": "bar", "href": "https://evil.example"}},
        {"encoding": SPEC["encoding"] | {"href": {"field": "week"}}},
        {"data": {"url": "https://evil.example/x.csv"}},
        {"mark": "image"},
        {"layer": [{"mark": {"type": "image"}}]},
    ],
)
def test_a_chart_that_links_or_loads_is_refused(change):
    with pytest.raises(ReportError, match="chart"):
        figures.figure(SPEC | change, "f1")


def test_data_of_a_chart_may_have_any_column_name_and_any_text():
    rows = [{"week": "<script>alert(1)</script>", "won": 1, "url": "x", "href": "y"}]
    assert "<script" not in figures.figure(SPEC | {"data": {"values": rows}}, "f1")


def test_grey_follows_the_readers_page_and_other_colours_stay():
    html = figures.figure(SPEC | {"mark": {"type": "bar", "color": "#7a1fa8"}}, "f1")
    assert 'fill="#7a1fa8"' in html
    assert "var(--ink)" in html
    assert "#888" not in html


def test_folders_of_this_machine_do_not_reach_a_page(tmp_path):
    nb = notebook(code("x", shown("text/plain", f"read {tmp_path}/data/deals.csv")))
    clean = redaction.without_paths(nb, {"data": tmp_path / "data", "workbench": tmp_path})
    assert str(tmp_path) not in json.dumps(clean)
    assert pages.build(clean, "analyst", META)


def test_a_secret_stops_publication_without_being_repeated():
    with pytest.raises(ReportError, match=r"index\.html") as caught:
        redaction.refuse_secrets({"index.html": b"url postgres://me:hunter22@host"}, ["hunter22"])
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("secret", ['pa55w0rd<&>"x', "it's&hidden", 'plain-but-"quoted"'])
def test_a_secret_is_known_as_a_template_writes_it(secret):
    written = markup.fill("chip.html.j2", light="red", shape="x", word=secret, quiet=False)
    with pytest.raises(ReportError, match="contains a secret"):
        redaction.refuse_secrets({"index.html": written.encode()}, [secret])


# --- publication ----------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    private = tmp_path / "out" / "runs" / "r1" / "sales"
    private.mkdir(parents=True)
    return SimpleNamespace(
        target=tmp_path / "out" / "sales" / "2026-W47", private=private, runs=private.parents[1]
    )


def content(target: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in target.iterdir()}


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_replaces_the_old_one_whole(place, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(site, "exchange", lambda one, other: False)
    site.publish({"a": b"1", "gone": b"x"}, place.target, place.private)
    site.publish({"a": b"2", "b": b"3"}, place.target, place.private)
    assert content(place.target) == {"a": b"2", "b": b"3"}
    assert list(place.private.iterdir()) == []


def test_a_file_is_put_in_place_also_where_its_folder_was_never_made(tmp_path):
    site.replace(tmp_path / "whatif" / "more" / "latest.json", b"{}", tmp_path / "runs")
    assert (tmp_path / "whatif" / "more" / "latest.json").read_bytes() == b"{}"


@pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="only Linux exchanges two folders in one step"
)
def test_linux_exchanges_two_folders_in_one_step(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "said").write_text(name)
    if not site.exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system cannot exchange two folders")
    assert (tmp_path / "one" / "said").read_text() == "other"
    assert (tmp_path / "other" / "said").read_text() == "one"


def test_a_failed_publication_leaves_the_old_report(place, monkeypatch):
    site.publish({"a": b"1"}, place.target, place.private)
    monkeypatch.setattr(
        site, "_write_all", lambda files: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(PublishError, match="can't publish sales/2026-W47: No space left"):
        site.publish({"a": b"2"}, place.target, place.private)
    assert content(place.target) == {"a": b"1"}


def test_a_swap_that_is_interrupted_puts_the_old_report_back(place, monkeypatch):
    site.publish({"a": b"1"}, place.target, place.private)
    monkeypatch.setattr(site, "exchange", lambda one, other: False)
    rename = os.rename

    def interrupt(one, other):
        if Path(one).name == "publish":
            raise KeyboardInterrupt
        rename(one, other)

    monkeypatch.setattr(os, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        site.publish({"a": b"2"}, place.target, place.private)
    assert content(place.target) == {"a": b"1"}


def test_a_swap_that_was_cut_short_by_a_kill_is_repaired_at_the_next_start(place):
    site.publish({"a": b"1"}, place.target, place.private)
    os.rename(place.target, place.private / "aside")
    (place.private / site.NOTE).write_text(json.dumps({"target": "sales/2026-W47"}))
    assert site.repair(place.runs) == [place.target]
    assert content(place.target) == {"a": b"1"}
    assert site.repair(place.runs) == []


def test_a_file_is_replaced_in_one_step(tmp_path):
    site.replace(tmp_path / "latest.json", b"1", tmp_path / "private")
    site.replace(tmp_path / "latest.json", b"2", tmp_path / "private")
    assert (tmp_path / "latest.json").read_bytes() == b"2"
    assert list((tmp_path / "private").iterdir()) == []


# --- the front page -------------------------------------------------------------------------------------------------

NORTH = front_page.Entry(
    "north",
    "North Star",
    "north/2026-W47/index.html",
    None,
    light="green",
    headline="Fine.",
    as_of="2026-11-22",
)
SALES = front_page.Entry(
    "sales",
    "Sales",
    "sales/2026-W46/index.html",
    "Sales",
    light="red",
    headline="Bad.",
    as_of="2026-11-15",
)
DAY = dt.date(2026, 11, 22)


def test_the_north_star_stands_first():
    html = front_page.build("Lumen", [SALES, NORTH], DAY)
    assert html.index("North Star") < html.index("Sales")
    assert 'href="north/2026-W47/index.html"' in html


def finding(text, *metrics, kind="green decline"):
    fact = {"id": f"{metrics[0]}.light", "metric": metrics[0], "segment": None, "period": "2026-W47", "field": "light",
            "value": "green", "unit": "", "text": "green"}  # fmt: skip
    spans = [{"text": text}, {"text": "", "fact": fact["id"]}]
    return {"text": text, "kind": kind, "metrics": list(metrics), "facts": [fact], "spans": spans}


def test_the_front_page_says_each_finding_once_with_its_facts_the_north_stars_first():
    north = replace(NORTH, findings=(finding("Calls: green, but fading.", "calls"),))
    sales = replace(
        SALES,
        findings=(finding("Calls fade.", "calls"), finding("Mails: green, but fading.", "mails")),
    )
    html = front_page.build("Lumen", [sales, north], DAY)
    said = re.findall(r'<li data-facts="([^"]*)">([^<]*)</li>', html)
    assert said == [
        ("north:calls.light", "Calls: green, but fading."),
        ("sales:mails.light", "Mails: green, but fading."),
    ]
    assert "What the lights do not say" not in front_page.build("Lumen", [SALES, NORTH], DAY)


def test_a_front_page_with_findings_agrees_with_its_facts():
    light = {**finding("x", "won")["facts"][0], "value": "red", "text": "red"}
    said = {"headline": "Won is red.", "facts": (light,)}
    north = replace(NORTH, findings=(finding("Calls: green, but fading.", "calls"),), **said)
    assert seals.page(front_page.build("Lumen", [replace(SALES, **said), north], DAY)) == []


def test_the_front_page_says_what_failed_and_how_old_the_shown_report_is():
    late = replace(SALES, failure="took too long", failed_as_of="2026-11-22", error="ran <long>")
    html = front_page.build("Lumen", [NORTH, late], DAY)
    text = markup.plain(html.partition("<main>")[2])
    assert (
        "Sales was not updated on 22 Nov 2026 : ran <long>. You see the report of 15 Nov 2026 , 7 days"
        in text
    )


def test_a_report_that_never_came_is_said():
    html = front_page.build(
        "Lumen",
        [front_page.Entry("cs", "Service", failure="failed", failed_as_of="2026-11-22")],
        DAY,
    )
    assert "There is no earlier report." in html
    assert "Not published yet." in html


ALTITUDES = st.sampled_from(["executive", "manager", "analyst", ""])


@given(st.lists(st.tuples(ALTITUDES, st.sampled_from(["headline", "line"])), max_size=6))
def test_whatever_is_said_above_is_said_below_with_the_same_facts(told):
    up = [
        FACT | {"id": f"won.change@{i}", "field": "change", "value": i + 1, "text": str(i + 1)}
        for i in range(len(told))
    ]
    cells = [
        code(
            "s",
            sentences(sentence(f"Up {i + 1}.", f"won.change@{i}", kind=kind)),
            tags=[tag] if tag else [],
        )
        for i, (tag, kind) in enumerate(told)
    ]
    nb = notebook(*cells, facts=[FACT, *up])
    said = [carried(pages.build(nb, altitude, META)) for altitude in pages.FILES]
    for above, below in itertools.pairwise(said):
        assert all(sentence in below["sentences"] for sentence in above["sentences"])
        assert all(fact in below["facts"] for fact in above["facts"])


def carried(html):
    return json.loads(re.search(r'id="facts">(.*?)</script>', html, re.DOTALL)[1])


def table(*names, numbers=0, row=None):
    heads = "".join(
        f'<th scope="col"{" class=nb-number" if i > len(names) - numbers - 1 else ""}>{n}</th>'
        for i, n in enumerate(names)
    )
    cells = "".join(f"<td>{cell}</td>" for cell in (row or names)[1:])
    return markup.clean(
        f"<table><thead><tr>{heads}</tr></thead><tbody><tr><th>a</th>{cells}</tr></tbody></table>"
    )


def test_on_a_phone_a_table_of_words_is_a_card_a_row_whose_cells_carry_the_names_of_their_columns():
    html = table("Metric", "Light", "Owner", "By when")
    assert html.startswith('<div class="nb-scroll nb-stack"')
    assert "<table style=\"--c2:'Light';--c3:'Owner';--c4:'By when'\"" in html


def test_a_table_of_numbers_is_written_smaller_and_one_whose_cells_are_joined_scrolls():
    assert 'class="nb-scroll nb-fit"' in table("Period", "Value", "Target", "Change", numbers=3)
    assert 'class="nb-scroll nb-many"' in table("a", "b", "c", "d", "e", row=["x", "y"])


def test_no_name_of_a_column_ends_the_style_it_stands_in():
    html = table("a", "b'};x{\"", "c&lt;/style&gt;", "d\\\n")
    style_ = re.search(r'style="([^"]*)"', html)[1]
    assert re.fullmatch(r"(--c\d:'(?:[a-z ]|\\[0-9a-f]+ )*';?)+", style_)


def test_the_names_that_a_phone_shows_are_sealed():
    html = pages.build(
        notebook(code("x", shown("text/html", table("a", "b", "Owner", "d")), tags=["executive"])),
        "executive",
        META,
    )
    assert seals.page(html) == []
    assert seals.page(html.replace("--c3:'Owner'", "--c3:'Debtor'")) != []


def test_the_names_of_an_index_stand_in_one_row_with_those_of_the_columns():
    html = markup.clean(
        "<table><thead><tr><th>&nbsp;</th><th>won</th></tr><tr><th>region</th><th>&nbsp;</th></tr></thead>"
        "<tbody><tr><th>A</th><td>1</td></tr></tbody></table>"
    )
    assert '<thead><tr><th scope="col">region</th><th scope="col">won</th></tr></thead>' in html


def test_a_head_without_a_name_is_no_heading():
    html = markup.clean(
        "<table><thead><tr><th></th><th>won</th></tr></thead><tbody><tr><th>0</th><td>1</td></tr></tbody></table>"
    )
    assert '<td></td><th scope="col">won</th>' in html


def test_tables_without_a_caption_are_groups_that_name_their_columns():
    table = "<table><thead><tr><th>region</th><th>won</th></tr></thead><tbody><tr><th>A</th><td>1</td></tr></tbody></table>"
    assert 'role="group" aria-label="Table: region, won"' in markup.clean(table)

"""The assistant's door: every tool through the official client, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from dataops_nb import cli
from dataops_nb.cli import main
from dataops_nb.cli.tools import MOST_ROWS, TOOLS, Desk
from dataops_nb.errors import UsageError

pytest.importorskip("mcp_types")
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from dataops_nb.cli import mcp
from tests.cli.test_cli import COMPANY as ACME
from tests.cli.test_cli import SALES

COMPANY = ACME.replace("time: day,", "time: day, fresh_within: 9d,")
DEALS = """id,day,team,region,amount
1,2026-11-02,a,north,10
2,2026-11-04,b,north,20
3,2026-11-11,a,south,30
4,2026-11-22,a,south,40
"""
AS_OF = "2026-11-22"
# A call of every tool, and the command that says the same.
CALLS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("status", {"as_of": AS_OF}, ["status", "--as-of", AS_OF]),
    ("values", {"metric": "deals", "as_of": AS_OF}, ["metric", "values", "deals", "--as-of", AS_OF]),
    (
        "values",
        {"metric": "deals", "as_of": AS_OF, "grain": "day", "from": "2026-11-04", "to": "2026-11-11", "by": "team"},
        ["metric", "values", "deals", "--as-of", AS_OF, "--grain", "day", "--from", "2026-11-04", "--to", "2026-11-11", "--by", "team"],
    ),
    (
        "values",
        {"metric": "deals", "as_of": AS_OF, "by": ["region", "team"]},
        ["metric", "values", "deals", "--as-of", AS_OF, "--by", "team,region"],
    ),
    ("explain", {"metric": "revenue", "as_of": AS_OF}, ["metric", "explain", "revenue", "--as-of", AS_OF]),
    (
        "explain",
        {"metric": "deals", "as_of": AS_OF, "against": "2026-W45", "by": "team"},
        ["metric", "explain", "deals", "--as-of", AS_OF, "--against", "2026-W45", "--by", "team"],
    ),
    ("links", {"as_of": AS_OF}, ["links", "--as-of", AS_OF]),
    ("solve", {"as_of": AS_OF}, ["solve", "--as-of", AS_OF]),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bench(tmp_path_factory.mktemp("acme"))


def make_bench(root: Path, deals: str = DEALS) -> Path:
    (root / "params" / "departments").mkdir(parents=True)
    (root / "params" / "company.yaml").write_text(COMPANY)
    (root / "params" / "departments" / "sales.yaml").write_text(SALES)
    (root / "data").mkdir()
    (root / "data" / "deals.csv").write_text(deals)
    return root


def desk_of(root: Path) -> Desk:
    args = Namespace(workbench=root, data=root / "data", out=root / "out", whatif=None)
    return Desk(lambda: cli.find(args))


@pytest.fixture(scope="module")
def server(bench: Path) -> Any:
    """One server for all questions about files that do not change."""
    return mcp.make_server(desk_of(bench))


def call(where: Any, name: str, arguments: dict[str, Any] | None = None) -> Any:
    return calls(where, [(name, arguments)])[0]


def calls(where: Any, wanted: list[tuple[str, dict[str, Any] | None]]) -> list[Any]:
    """The official client's answers, in one session with a server, or with one for a folder."""
    served = mcp.make_server(desk_of(where)) if isinstance(where, Path) else where

    async def talk() -> list[Any]:
        async with Client(served, raise_exceptions=True) as client:
            return [await client.call_tool(name, arguments) for name, arguments in wanted]

    return asyncio.run(talk())


def refused(where: Any, name: str, arguments: dict[str, Any] | None = None) -> str:
    answer = call(where, name, arguments)
    assert answer.is_error
    return answer.content[0].text


def printed(root: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    assert main(["-w", str(root), "--data", str(root / "data"), "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_tools_are_those_of_the_contract(bench):
    async def talk() -> Any:
        async with Client(mcp.make_server(desk_of(bench))) as client:
            return await client.list_tools()

    listed = {tool.name: tool for tool in asyncio.run(talk()).tools}
    arguments = {name: list(tool.input_schema["properties"]) for name, tool in listed.items()}
    assert arguments == {
        "list_metrics": [],
        "status": ["as_of", "grain"],
        "values": ["metric", "as_of", "grain", "from", "to", "by"],
        "explain": ["metric", "as_of", "grain", "against", "by"],
        "links": ["as_of", "grain"],
        "solve": ["as_of"],
        "ask": ["metric", "as_of"],
    }
    assert all(tool.annotations.read_only_hint for tool in listed.values())


@pytest.mark.parametrize(("tool", "arguments", "words"), CALLS)
def test_rows_are_those_of_the_command(server, bench, capsys, tool, arguments, words):
    answer = call(server, tool, arguments).structured_content
    assert answer["rows"] == printed(bench, words, capsys)["rows"]
    assert list(answer) == ["rows", "as_of", "data_to", "sentences", "sources", "truncated"]
    assert (answer["as_of"], answer["truncated"]) == (AS_OF, False)


def test_metrics_are_listed_as_the_command_lists_them(server, bench, capsys):
    answer = call(server, "list_metrics").structured_content
    assert answer["rows"] == printed(bench, ["metric", "list"], capsys)["metrics"]
    assert answer["data_to"] == "2026-11-22"


def test_an_asked_number_comes_with_its_sentences_and_without_a_page(server, bench, capsys):
    answer = call(server, "ask", {"metric": "Deals", "as_of": AS_OF}).structured_content
    assert not (bench / "out" / "ask").exists()
    document = printed(bench, ["ask", "deals", "--as-of", AS_OF], capsys)
    assert answer["rows"] == [
        {k: v for k, v in document.items() if k not in ("page", "schema_version")}
    ]
    assert set(document["says"]["Result"]) <= set(answer["sentences"])


def test_the_same_answer_travels_as_text(server):
    answer = call(server, "status", {"as_of": AS_OF})
    assert json.loads(answer.content[0].text) == answer.structured_content


def test_a_question_changes_no_file(tmp_path):
    root = make_bench(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    calls(root, [("status", {"as_of": AS_OF}), ("ask", {"metric": "deals", "as_of": AS_OF})])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("statuss", {}, "did you mean 'status'?"),
        ("values", {"metric": "dealz"}, "no metric 'dealz'; did you mean 'deals'?"),
        ("values", {"metric": "deals", "grian": "day"}, "values takes no 'grian'; did you mean 'grain'?"),
        ("values", {"metric": "deals", "grain": "weak"}, "did you mean 'week'?"),
        ("values", {"metric": "deals", "by": "teem"}, "did you mean 'team'?"),
        ("values", {"metric": "deals", "as_of": "22.11.2026"}, "'22.11.2026' is not a date"),
        ("values", {"metric": "deals", "from": "2026-11-22", "to": "2026-11-01"}, "is after to"),
        ("values", {}, "values needs a metric"),
        ("explain", {"metric": "deals", "against": "last_year"}, "did you mean 'last-year'?"),
        ("list_metrics", {"search": "x"}, "list_metrics takes no argument"),
        ("values", {"metric": "price", "grain": "day"}, "price has no day values; choose week, month"),
        ("ask", {"metric": "dealz"}, "did you mean"),
        ("status", {"as_of": 5}, "as_of is a text"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_answered_with_the_nearest_right_one(server, tool, arguments, words):
    assert words in refused(server, tool, arguments)


def test_more_rows_than_fit_are_said_to_be_more(tmp_path):
    days = ["1,2025-01-01,a,north,1", "9,2026-11-22,a,north,1"]
    root = make_bench(tmp_path, "\n".join(["id,day,team,region,amount", *days, ""]))
    answer = call(root, "values", {"metric": "deals", "grain": "day", "as_of": AS_OF})
    content = answer.structured_content
    assert (len(content["rows"]), content["truncated"]) == (MOST_ROWS, True)
    assert content["sentences"][1].startswith("There are 691 rows, and these are the first 200")


def test_a_stale_source_is_said_and_its_metrics_are_unknown(server):
    answer = call(server, "status", {"as_of": "2026-12-20"}).structured_content
    assert {row["reason"] for row in answer["rows"]} == {"stale"}
    assert answer["data_to"] == "2026-11-22"
    assert answer["sources"][0]["state"] == "stale"
    assert any("late" in sentence and "22 Nov" in sentence for sentence in answer["sentences"][1:])


def test_a_fault_is_an_error_that_names_file_row_and_column(tmp_path):
    root = make_bench(tmp_path, DEALS.replace(",30", ",-30"))
    message = refused(root, "status", {"as_of": AS_OF})
    assert "deals.csv:4" in message
    assert "amount" in message


def test_many_faults_are_told_in_few_lines(tmp_path):
    rows = [f"{number},2026-11-02,a,north,-1" for number in range(500)]
    root = make_bench(tmp_path, "\n".join(["id,day,team,region,amount", *rows, ""]))
    lines = refused(root, "status", {"as_of": AS_OF}).splitlines()
    assert len(lines) < 25


def test_mistakes_in_the_definitions_are_answered_and_mended_ones_forgotten(tmp_path):
    root = make_bench(tmp_path)
    path = root / "params" / "departments" / "sales.yaml"
    path.write_text(SALES.replace("agg: count", "agg: cuont"))
    desk = desk_of(root)
    with pytest.raises(UsageError, match="cuont"):
        desk.answer("status", {"as_of": AS_OF})
    path.write_text(SALES)
    assert desk.answer("status", {"as_of": AS_OF})["rows"]
    desk.close()


def test_new_rows_are_seen_by_the_next_question(tmp_path):
    root = make_bench(tmp_path)
    desk = desk_of(root)
    asked_for = {"metric": "deals", "as_of": AS_OF, "from": "2026-11-16"}
    assert desk.answer("values", asked_for)["rows"][0]["value"] == 1
    (root / "data" / "deals.csv").write_text(DEALS + "5,2026-11-22,b,north,5\n")
    assert desk.answer("values", asked_for)["rows"][0]["value"] == 2
    desk.close()


@pytest.mark.long
def test_a_host_starts_the_command_in_a_folder_of_its_own(bench, tmp_path, capsys):
    assert main(["-w", str(bench), "mcp", "--print-config"]) == 0
    [settings] = json.loads(capsys.readouterr().out)["mcpServers"].values()
    parameters = StdioServerParameters(**settings, cwd=str(tmp_path))

    async def talk() -> Any:
        async with Client(parameters) as client:
            return await client.call_tool("values", {"metric": "deals", "as_of": AS_OF})

    answer = asyncio.run(talk())
    assert [row["value"] for row in answer.structured_content["rows"]] == [2, 1, 1]
    assert settings["command"] == sys.executable


def test_a_hosts_settings_name_what_this_shell_names(bench, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATAOPS_DATA", str(tmp_path))
    assert main(["-w", str(bench), "mcp", "--print-config"]) == 0
    [settings] = json.loads(capsys.readouterr().out)["mcpServers"].values()
    assert settings["args"][4:6] == ["--data", str(tmp_path)]


def test_without_the_package_the_command_says_how_to_get_it(bench, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    assert main(["-w", str(bench), "mcp"]) == 2
    assert "pip install 'dataops-nb[mcp]'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_thousand_calls_of_one_client_do_not_grow(bench):
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    sizes = []

    async def talk() -> None:
        async with Client(mcp.make_server(desk_of(bench)), raise_exceptions=True) as client:
            for number in range(1000):
                tool, arguments, _ = CALLS[number % len(CALLS)]
                answer = await client.call_tool(tool, arguments)
                assert not answer.is_error
                if number % 100 == 99:
                    sizes.append(process.memory_info().rss)

    asyncio.run(talk())
    assert sizes[-1] < sizes[2] * 1.1


def test_every_tool_says_what_it_is_for():
    assert all(len(tool.text) > 60 for tool in TOOLS.values())

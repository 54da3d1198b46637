"""SQL in definitions gives one value for one day: no clock and no dice, but `:as_of`.

A number that is another one on each run cannot be published, compared or verified. What is asked
"today" is asked of the as-of day instead, and `bind` puts that day in the place of `:as_of`.

SQL is looked at token by token, so that it holds for every database's own SQL. Names in quotation
marks and columns of a table (`t.now`) are no functions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

AS_OF = "as_of"
# Words that are another moment on each run, with or without parentheses behind them.
_WORDS = {
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
    "current_localtime", "current_localtimestamp", "current_datetime", "sysdate", "systimestamp",
    "sysdatetime", "utc_date", "utc_time", "utc_timestamp",
}  # fmt: skip
# Functions of the clock; their names may be columns as well.
_CLOCKS = {
    "now", "today", "get_current_timestamp", "get_current_time", "transaction_timestamp",
    "statement_timestamp", "clock_timestamp", "timeofday", "getdate", "getutcdate", "curdate",
    "curtime", "sysdatetimeoffset", "sysutcdatetime",
}  # fmt: skip
_DICE = {
    "random", "rand", "randn", "randstr", "uniform", "normal_rand", "random_normal", "setseed",
    "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "uuid_generate_v4", "newid", "newsequentialid",
    "randomblob", "gen_random_bytes", "shuffle", "nextval", "currval", "lastval", "txid_current",
    "monotonically_increasing_id",
}  # fmt: skip
# Functions that take the clock where no argument says a moment.
_CLOCKS_WITHOUT_ARGUMENT = {
    "date", "time", "datetime", "julianday", "unixepoch", "unix_timestamp", "age",
}  # fmt: skip
_MOMENTS = {"now", "today", "tomorrow", "yesterday"}
_TIME_TYPES = {"date", "time", "datetime", "timestamp", "timestamptz", "timestamp_tz"}
_OF_TIMES = {*_TIME_TYPES, "julianday", "unixepoch", "strftime", "cast", "try_cast", "timediff"}


def fault_of_run(sql: str) -> str:
    """Say what in a piece of SQL is another value on each run; return "" where nothing is."""
    tokens = _tokens(sql)
    for place, token in enumerate(tokens):
        word = _word(token)
        if word is None or (place and tokens[place - 1].text == "."):
            continue
        opens = place + 1 < len(tokens) and tokens[place + 1].text == "("
        shown = f"{token.text}()" if opens else token.text
        if word in _WORDS or (opens and word in _CLOCKS):
            return _of_clock(shown)
        if opens and word in _DICE:
            return f"{shown} gives another value on each run; a report must give the same again"
        if opens and word in _CLOCKS_WITHOUT_ARGUMENT and _takes_clock(tokens, place, word):
            return _of_clock(shown)
        if word in ("tablesample", "sample") and _draws(tokens, place):
            return f"{token.text} takes other rows on each run; a report must give the same again"
    return _fault_of_moment_texts(tokens)


def bind(sql: str, as_of: dt.date, dialect: str) -> str:
    """Return SQL with the as-of day in the place of each `:as_of`, as a dialect writes a day."""
    # SQLite has no days: there a cast would make the year of it.
    day = f"'{as_of}'" if dialect == "sqlite" else f"cast('{as_of}' as date)"
    written = sql
    tokens = _tokens(sql, dialect)
    for place in reversed(range(1, len(tokens))):
        token, before = tokens[place], tokens[place - 1]
        if before.text == ":" and token.text.lower() == AS_OF and before.end + 1 == token.start:
            written = written[: before.start] + day + written[token.end + 1 :]
    return written


def _of_clock(shown: str) -> str:
    return f"{shown} is another moment on each run; write :as_of, the day that the report is of"


def _tokens(sql: str, dialect: str = "duckdb") -> Sequence[Any]:
    """Return the tokens of SQL; none where it cannot be read, which is told elsewhere."""
    import sqlglot  # noqa: PLC0415  a company without SQL does not wait for the parser
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        return sqlglot.tokenize(sql, dialect=dialect)
    except SqlglotError:
        return []


def _word(token: Any) -> str | None:
    """Return a token's word in lower case; None for texts and names in quotation marks."""
    if token.token_type.name in ("STRING", "IDENTIFIER", "NUMBER"):
        return None
    return str(token.text).lower()


def _takes_clock(tokens: Sequence[Any], place: int, word: str) -> bool:
    """Tell whether a call says no moment: `date()`, and `age(x)`, which is until today."""
    inside = tokens[place + 2].text == ")" if place + 2 < len(tokens) else False
    if word != "age":
        return inside
    depth, commas = 0, 0
    for token in tokens[place + 1 :]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        commas += token.text == "," and depth == 1
        if depth == 0:
            break
    return commas == 0


def _draws(tokens: Sequence[Any], place: int) -> bool:
    """Tell whether a word draws rows: `tablesample ...`, `using sample ...`."""
    if _word(tokens[place]) == "tablesample":
        return place + 1 < len(tokens)
    return place > 0 and _word(tokens[place - 1]) == "using"


def _fault_of_moment_texts(tokens: Sequence[Any]) -> str:
    """Say which text means a moment of the clock: `date 'today'`, `'now'::timestamp`."""
    functions: list[str] = []
    for place, token in enumerate(tokens):
        before = _word(tokens[place - 1]) if place else None
        if token.text == "(" and token.token_type.name != "STRING":
            functions.append(before or "")
        elif token.text == ")" and token.token_type.name != "STRING" and functions:
            functions.pop()
        if token.token_type.name != "STRING" or token.text.strip().lower() not in _MOMENTS:
            continue
        after = tokens[place + 1].text if place + 1 < len(tokens) else ""
        is_moment = before in _TIME_TYPES or after == "::"
        if is_moment or (functions and functions[-1] in _OF_TIMES):
            return _of_clock(f"'{token.text}'")
    return ""

"""The one table of cases: what definitions may use, over rows at the ends of months and years.

Each expression is asked of every engine over the same rows; DuckDB's answer is the right one. Where
DuckDB itself has changed what a word means, the answer is written out.
"""

import datetime as dt

from .company import Table

D, T = dt.date, dt.datetime
ROWS = [
    [1, D(2026, 1, 1), D(2025, 12, 31), T(2026, 1, 1, 0, 0), 0.5, 1, 7, "Anna", "East"],
    [2, D(2025, 12, 29), D(2026, 1, 4), T(2025, 12, 31, 23, 59, 59), -0.5, -7, 2, "bob", None],
    [3, D(2024, 2, 29), D(2024, 3, 28), T(2024, 2, 29, 12, 30, 15), 1.5, 0, 3, "", "open"],
    [4, D(2026, 1, 31), D(2026, 2, 28), T(2026, 2, 1, 0, 0), 2.5, 5, 2, "ÄÖü", "won"],
    [5, D(2026, 2, 2), D(2026, 3, 2), T(2026, 3, 2, 6, 0), -2.5, -5, 2, "a%b", "a"],
    [6, D(2021, 1, 3), D(2021, 1, 4), T(2021, 1, 4, 0, 0), 0.125, 9, 4, " x ", "A"],
    [7, D(2020, 12, 31), D(2021, 12, 31), T(2020, 12, 31, 1, 2, 3), 1234.375, 100, 3, "banana", "an"],
    [8, None, D(2026, 5, 5), None, None, None, 1, None, "x"],
    [9, D(2026, 7, 15), None, T(2026, 7, 15, 15, 45), 0.0, 4, None, "x_y", "_"],
    [10, D(2026, 3, 30), D(2026, 4, 27), T(2026, 3, 30, 2, 30), -1.25, -1, 8, "O'Neil", "'"],
    [11, D(2026, 4, 1), D(2026, 4, 1), T(2026, 4, 1, 0, 0), 99.99, 3, 3, "same", "same"],
    [12, D(2026, 12, 28), D(2027, 1, 4), T(2026, 12, 28, 23, 0), 7.0, 2, 5, "Zoë", "ë"],
]  # fmt: skip
TABLE = Table(
    {"id": "integer", "a": "date", "b": "date", "s": "timestamp", "m": "decimal", "i": "integer",
     "j": "integer", "w": "text", "v": "text"},
    ROWS,
)  # fmt: skip

NUMBERS = [
    "i + j", "i - j", "i * j", "i / j", "i / 2", "m / 2", "-m", "m * 3 - 1", "i / (j - j)", "abs(m)", "abs(i)",
    "round(m)", "round(m, 1)", "round(m, 2)", "floor(m)", "ceil(m)", "ceiling(m)", "sign(m)", "sign(i)",
    "coalesce(m, -1)", "ifnull(i, 0)", "nullif(m, 0)", "nullif(i, j)", "if(m > 1, 1, 0)",
    "case when m > 1 then m when i > 0 then i end", "case v when 'won' then 2 else 0 end", "cast(i as double)",
    "length(w)", "length(trim(w))", "try_cast('12.5' as double)", "try_cast(w as double)",
    "0.1 + 0.2", "0.1 + 0.2 - 0.3", "m * (1 - 0.9)", "m + 0.1 * 3", "-(0.1 + 0.2) * i", "1.1 - 2 - m", "0.7 / 0.1", "3 * 0.1 / 0.3",
    "case when 0.1 + 0.2 = 0.3 then 1 else 0 end", "case when m - 0.125 = 1.1 - 1.1 then 1 else 0 end", "round(0.1 * 3 * 5, 0)",
]  # fmt: skip
DAYS = [
    *(f"date_diff('{unit}', a, b)" for unit in ("day", "month", "quarter", "year")),
    *(f"date_diff('{unit}', b, a)" for unit in ("day", "month", "quarter", "year")),
    *(f"date_diff('{unit}', s, b)" for unit in ("day", "month", "quarter", "year")),
    "datediff('day', a, s)", "date_diff('day', a, date '2026-06-30')",
    *(f"extract({part} from a)" for part in ("year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "isoyear")),
    *(f"extract({part} from s)" for part in ("year", "week", "hour", "minute", "second", "dow", "isodow", "doy")),
    *(f"date_part('{part}', s)" for part in ("year", "quarter", "month", "week", "hour", "isodow", "isoyear")),
    *(f"{name}(a)" for name in ("year", "quarter", "month", "week", "weekofyear", "day", "dayofmonth", "dayofweek", "weekday", "isodow", "isoyear", "dayofyear")),
    *(f"{name}(s)" for name in ("year", "month", "hour", "minute", "second", "dayofweek")),
    "(year(b) - year(a)) * 12 + month(b) - month(a)",
]  # fmt: skip
MOMENTS = [
    *(f"date_trunc('{unit}', a)" for unit in ("day", "week", "month", "quarter", "year")),
    *(f"date_trunc('{unit}', s)" for unit in ("day", "week", "month", "quarter", "year")),
    "last_day(a)", "last_day(s)", "cast(s as date)", "cast(a as timestamp)", "date '2026-02-28'",
    "a + interval 28 day", "a - interval 1 day", "a + interval 1 month", "a - interval 1 month", "s + interval 2 week",
    "a + interval '1 year'", "s - interval 3 month", "coalesce(a, b)", "case when a < b then a else b end",
    "try_cast('2026-01-31' as date)", "try_cast(w as date)", "try_cast('2026-31-01' as date)", "try_cast('x' as timestamp)",
]  # fmt: skip
TEXTS = [
    *(f"strftime({moment}, '{form}')" for moment in ("a", "s")
      for form in ("%Y-%m-%d", "%G-W%V", "%Y%m", "%j", "%y", "%u", "week %V of %G", "Day %d: Month")),
    "strftime(s, '%H:%M:%S')", "lower(w)", "upper(w)", "trim(w)", "replace(w, 'an', 'AN')", "w || '-' || v",
    "substring(w, 1, 2)", "substring(w, 2)", "substr(w, 2, 3)", "left(w, 2)", "right(w, 2)", "left(w, 99)", "right(w, 99)",
    "coalesce(v, 'none')", "nullif(w, '')", "cast(i as varchar)", "cast(a as varchar)",
]  # fmt: skip
CONDITIONS = [
    "a < b", "a <= b", "a = b", "a <> b", "cast(s as date) = a", "cast(s as date) > a", "a + interval 28 day <= b",
    "a + interval 28 day = b", "a + interval 1 month > b", "b - interval 1 month >= a", "a + interval 28 day <= s",
    "b between a and a + interval 28 day", "s between a - interval 1 day and a", "a in (date '2026-01-31', date '2026-04-01')",
    "date_trunc('month', a) = date_trunc('month', b)", "date_trunc('month', s) = s", "date_trunc('month', a) = a",
    "last_day(a) = a", "last_day(a) < b", "a >= date '2026-01-01'", "a < '2026-01-01'", "s < timestamp '2026-01-01 00:00:00'",
    "strftime(a, '%G-W%V') = '2026-W01'", "isodow(a) = 4", "week(a) = 53", "date_diff('day', a, b) >= 28",
    "m > 0", "m >= 0.5", "i = j", "i <> j", "m is null", "m is not null", "not m > 0", "m > 0 and i > 0", "m > 0 or i > 0",
    "m in (0.5, 2.5)", "m not in (0.5, 2.5)", "w in ('bob', 'same')", "m between 0 and 2.5", "m not between 0 and 2.5",
    "w is distinct from v", "w is not distinct from v", "i is distinct from j", "w = v", "w <> 'bob'", "w = ''",
    "w like 'a%'", "w like 'A%'", "w ilike 'a%'", "w like '%n%'", "w not like '%a%'", "w like 'x_y'", "w ilike 'ä%'",
    "contains(w, 'an')", "contains(w, '%')", "starts_with(w, 'A')", "starts_with(w, 'a')", "ends_with(w, 'a')",
    "contains(w, v)", "starts_with(w, v)", "ends_with(w, v)", "length(w) > 3 and v is not null",
    "coalesce(w = v, false)", "true", "m > 0 is true",
]  # fmt: skip
CASES = [*NUMBERS, *DAYS, *MOMENTS, *TEXTS, *CONDITIONS]
# DuckDB counted Mondays once, and counts full sevens now; ours are full sevens, toward zero.
WEEKS = {
    "date_diff('week', a, b)": [0, 0, 4, 4, 4, 0, 52, None, None, 4, 0, 1],
    "date_diff('week', b, a)": [0, 0, -4, -4, -4, 0, -52, None, None, -4, 0, -1],
}

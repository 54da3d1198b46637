#!/usr/bin/env bash
# Babel: the compact form of a number just below the next unit is "1000K", "$1000M", and not "1M", "$1B".
#
# One would guess: a compact number is rounded first and then given its unit, as ICU (JavaScript's Intl) does: 999,999 is "1M".
# What happens: the unit is chosen by the number, and only then it is rounded to the digits that were asked for. So
#   999,499 is "999K" and 999,500 is "1000K"; beyond the last unit zeros are added: 10^18 is "1000000T".
# Why it matters here: a tile says a company's revenue in three or four letters, and a target of a round million is exactly
#   where values lie just below it. "$1000K of $1M" reads as two different numbers.
# Seen with: Babel 2.18.0 on Python 3.11. Node 26.13 (ICU 78.3) said 999K, 1M, 1M and 1B of 999,499 to 999,999,999 beside it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check Babel==2.18.0
cat > "$dir/see.py" <<'P'
from babel.numbers import format_compact_currency, format_compact_decimal

for value in (999_499, 999_500, 999_999, 1_000_000):
    print(value, format_compact_decimal(value, locale="en_US"))
print(999_999, format_compact_decimal(999_999, locale="en_US", fraction_digits=1))
print(999_999_999, format_compact_currency(999_999_999, "USD", locale="en_US", fraction_digits=1))
print(999_999_999, format_compact_decimal(999_999_999, locale="de_DE").replace("\u00a0", " "))
print(10**18, format_compact_decimal(10**18, locale="en_US"))
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
999499 999K
999500 1000K
999999 1000K
1000000 1M
999999 1000K
999999999 $1000M
999999999 1000 Mio.
1000000000000000000 1000000T
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }

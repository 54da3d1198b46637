#!/usr/bin/env bash
# vl-convert: to draw one small chart it opens the same font file hundreds of times.
#
# One would guess: a font is read once, when it is registered or first used, and measuring a text costs microseconds.
# What happens: each text that Vega lays out is measured by drawing it, and each time the file of its font is opened, mapped
#   and closed again. One line over 60 weeks, with one font registered and a second drawing of the same chart in the same
#   process, opens the file about 800 times; the same chart without axes, which has a title alone, 22 times.
# Why it matters here: reports are drawings for the most part of their time. A drawing's cost grows with its labels and not
#   with its points, so charts with few ticks are cheap, and finished drawings are worth keeping.
# Seen with: vl-convert-python 1.9.0.post1 on Python 3.11, Linux (counted by inotify).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check vl-convert-python==1.9.0.post1 matplotlib==3.10.9
cat > "$dir/see.py" <<'P'
import ctypes
import os
import shutil
import struct
import sys

import matplotlib
import vl_convert

fonts = os.path.join(sys.argv[1], "fonts")
os.mkdir(fonts)
shutil.copy(os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "cmr10.ttf"), fonts)
vl_convert.register_font_directory(fonts)

weeks = [{"week": f"2026-{1 + place // 5:02}-{1 + place % 5 * 6:02}", "y": place} for place in range(60)]
axes = {"x": {"field": "week", "type": "temporal"}, "y": {"field": "y", "type": "quantitative"}}
bare = {name: {**axis, "axis": None} for name, axis in axes.items()}
OPEN, CLOSED = 0x20, 0x10  # both, because one alone would be reported once for many in a row
libc = ctypes.CDLL(None, use_errno=True)


def opens(encoding):
    chart = {"title": "Sales", "data": {"values": weeks}, "mark": "line", "encoding": encoding, "config": {"font": "cmr10"}}
    vl_convert.vegalite_to_svg(chart)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    libc.inotify_add_watch(watch, fonts.encode(), OPEN | CLOSED)
    vl_convert.vegalite_to_svg(chart)
    count = 0
    while True:
        try:
            events = os.read(watch, 1 << 20)
        except BlockingIOError:
            return count
        place = 0
        while place < len(events):
            mask, _, length = struct.unpack_from("III", events, place + 4)
            place += 16 + length
            count += bool(mask & OPEN)


labelled, plain = opens(axes), opens(bare)
print(f"opened more than 300 times for one drawing: {labelled > 300}; with a title alone less than a fifth of that: {plain * 5 < labelled}")
P
got=$("$dir/v/bin/python" "$dir/see.py" "$dir")
echo "$got"
[ "$got" = "opened more than 300 times for one drawing: True; with a title alone less than a fifth of that: True" ]

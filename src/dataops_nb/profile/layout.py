"""Find the table in a text file: its encoding, its delimiter, its header, and lines that are none.

Exports put titles, filters and comments above their header, totals among their rows, and remarks
below. The header is the first line as wide as most lines of which no cell is a number, a day, a
truth value or an address.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from dataops_nb.profile.cells import (
    DAY,
    NUMBER,
    TEXT,
    amount,
    find_ruler,
    find_widths,
    is_cut_well,
    kind_of,
    looks_like_name,
)
from dataops_nb.profile.columns import OptionGuess
from dataops_nb.profile.texts import (
    TAIL_BYTES,
    TOTAL_BEGINNINGS,
    find_encoding,
    first_lines,
    holds_other_lines,
    read_text,
)
from dataops_nb.sources.archives import inner_ending, unpacked
from dataops_nb.sources.files import TEXTS, WrongBytes
from dataops_nb.sources.layouts import cut_line
from dataops_nb.sources.records import find_records

HEAD_LETTERS = 1 << 17
DELIMITERS = (",", ";", "\t", "|")
SAMPLE_RECORDS = 2_000
TYPICAL_RECORDS = 500  # that tell what most cells of a column are, and what divides them
HIGHEST_HEADER = 60
MOST_PATTERNS = 40
TOTAL = re.compile(
    r"(grand |sub|sub-|overall )?totals?\b.*"
    r"|(sum|summe|gesamt\w*|zwischensumme|somme|suma|totaal|totale|total g[eé]n[eé]ral|i alt|summa"
    r"|razem)\b.*",
    re.IGNORECASE,
)
TOLERANCE = 0.006  # a cent, and a little for rounding


def is_text(path: Path) -> bool:
    """Return whether a file holds lines of cells, by its name; a zip is opened for that."""
    return inner_ending(path) in ("", *TEXTS)


class Record(NamedTuple):
    """One line of cells, and the physical line on which it starts; 1 is the first."""

    line: int
    cells: list[str]
    lines: int = 1

    @property
    def filled(self) -> int:
        """How many cells hold something."""
        return sum(map(bool, map(str.strip, self.cells)))


@dataclass(frozen=True)
class Layout:
    """Where the table lies in a file.

    `widths` are those of columns at fixed places, without any delimiter.
    `header` is the physical line of the header, None where the file has none. `names` are needed
    where the header cannot be taken as it stands. `footer` counts the lines below the last row,
    `skipped` are texts that mark lines among the rows that are none, `above` the lines before the
    header. `repeated` are names that stand in the header more than once.
    """

    encoding: str | None = None
    delimiter: str = ","
    widths: list[int] = field(default_factory=list)
    header: int | None = 1
    names: list[str] = field(default_factory=list)
    footer: int = 0
    skipped: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    repeated: dict[str, int] = field(default_factory=dict)
    two_lines: bool = False


def find_layout(path: Path) -> Layout:
    """Find the table in a text file, which may be packed."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with unpacked(path, Path(scratch)) as plain:
                return _find_plain(plain)
        except WrongBytes:
            return Layout()  # its reader says why


def _find_plain(path: Path) -> Layout:
    encoding = find_encoding(path)
    text = read_text(path, encoding)
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    declared = re.match(r"\"?sep=(.)\"?\s*\n", text)
    delimiter = declared[1] if declared else find_delimiter(text, usual)
    widths: list[int] = []
    if not declared and not _divides(text, delimiter):
        widths = find_widths(first_lines(text, SAMPLE_RECORDS))
    if widths:
        delimiter = usual
        layout = find_table(list(_cut_records(text, widths)))
        ruler = find_ruler(first_lines(text, SAMPLE_RECORDS))
        if ruler:
            layout = replace(layout, skipped=[*layout.skipped, cut_line(ruler, widths)[0]])
    else:
        layout = find_table(_list_records(text, delimiter))
    return replace(layout, encoding=encoding, delimiter=delimiter, widths=widths)


def _list_records(text: str, delimiter: str) -> list[Record]:
    """Return the lines of cells of a text; of a long one without rows that tell nothing new.

    Where lines of one cell begin sections, all are returned.
    """
    shorter = _leave_out_rows(text, delimiter)
    records = list(_records(shorter, delimiter))
    if len(shorter) < len(text) and has_sections(records, _usual_width(records)):
        return list(_records(text, delimiter))
    return records


def _leave_out_rows(text: str, delimiter: str) -> str:
    """Return the beginning and the end of a long text, where only rows stand between them.

    No total, no line of one cell and no open quote is left out; where there is one of them, the
    whole text is returned.
    """
    start = text.find("\n", HEAD_LETTERS) + 1
    end = text.rfind("\n", 0, max(0, len(text) - TAIL_BYTES)) + 1
    if not 0 < start < end:
        return text
    if holds_other_lines(text, delimiter, start, end):
        return text
    return text[:start] + text[end:]


def find_delimiter(text: str, usual: str) -> str:
    """Return the delimiter that cuts most lines into equally many cells.

    Among equals, the one that makes more cells wins; without any, the usual one.
    """
    lines = first_lines(text, TYPICAL_RECORDS)
    best = usual
    best_score = (0.0, 0)
    for delimiter in dict.fromkeys((usual, *DELIMITERS)):
        if not any(delimiter in line for line in lines):
            continue
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if any(row)]
        several = [width for width in widths if width > 1]
        if not several:
            continue
        width, count = Counter(several).most_common(1)[0]
        score = (round(count / len(widths), 1), width)
        if score > best_score:
            best = delimiter
            best_score = score
    return best


def _divides(text: str, delimiter: str) -> bool:
    """Return whether a delimiter stands in most lines that hold something."""
    lines = [line for line in first_lines(text, TYPICAL_RECORDS) if line.strip()]
    return sum(delimiter in line for line in lines) * 2 > len(lines)


def _cut_records(text: str, widths: Sequence[int]) -> Iterator[Record]:
    """Yield the lines that are not blank, cut into columns of these widths."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            cut = is_cut_well(line, widths)
            yield Record(number, cut_line(line, widths) if cut else [line.strip()])


def _records(text: str, delimiter: str) -> Iterator[Record]:
    """Yield the lines of cells that are not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = []
        if any(map(str.strip, cells)):
            yield Record(line, cells, reader.line_num - line + 1)
        line = reader.line_num + 1


# --- header, footer and totals -------------------------------------------------------------------


def find_table(records: Sequence[Record]) -> Layout:
    """Find the header, the lines below the rows, and the lines among them that are no rows."""
    if not records:
        return Layout()
    width = _usual_width(records)
    kinds = _kinds_below(records, width)
    place = _find_header(records, width, kinds)
    if place is None:
        numbered = [f"column_{number}" for number in range(1, width + 1)]
        end = _find_end(records, 0, kinds)
        return Layout(header=None, names=numbered, footer=_count_lines(records[end:]))
    header = records[place]
    names: list[str] = []
    start = place + 1
    second = _is_second_header(records, place, width)
    if second:
        names = _join_headers(header.cells, records[start].cells)
        header = records[start]
        start += 1
    end = _find_end(records, start, kinds)
    rows = records[start:end]
    counted = Counter(name.strip() for name in records[place].cells if name.strip())
    return Layout(
        header=header.line,
        names=names or _fill_names(header.cells),
        footer=_count_lines(records[end:]),
        skipped=_find_skipped(rows, width, kinds),
        above=[_shown(record) for record in records[:place]],
        below=[_shown(record) for record in records[end:]],
        repeated={name: count for name, count in counted.items() if count > 1},
        two_lines=second,
    )


def _usual_width(records: Sequence[Record]) -> int:
    widths = Counter(len(record.cells) for record in records[:SAMPLE_RECORDS])
    several = Counter({width: count for width, count in widths.items() if width > 1})
    # A few remarks of one cell are no table beside the lines of several.
    if several and several.total() * 4 >= widths.total():
        return several.most_common(1)[0][0]
    return widths.most_common(1)[0][0]


def _kinds_below(records: Sequence[Record], width: int) -> list[str]:
    """Return what most cells of each column are: text, number or day."""
    wide = [record.cells for record in records[1:SAMPLE_RECORDS] if len(record.cells) == width]
    wide = wide[:TYPICAL_RECORDS]
    kinds = []
    for cells in zip(*wide, strict=True) if wide else [()] * width:
        counts: Counter[str] = Counter()
        for cell, count in Counter(cells).items():  # a kind is found once for each cell's text
            if cell.strip():
                counts[kind_of(cell)] += count
        kinds.append(counts.most_common(1)[0][0] if counts else TEXT)
    return kinds


def _find_header(records: Sequence[Record], width: int, kinds: Sequence[str]) -> int | None:
    """Return the place of the header among the records, None where there is none."""
    least = width if width <= 2 else max(2, width // 2)
    for place, record in enumerate(records[:HIGHEST_HEADER]):
        if len(record.cells) != width or record.filled < least:
            continue
        if _is_header(record.cells, kinds):
            return _fuller_header(records, place, width, kinds)
        return None
    return 0


def _fuller_header(records: Sequence[Record], place: int, width: int, kinds: Sequence[str]) -> int:
    """Return the place of a line below a header with gaps that names every column.

    What stands above it are titles, side by side. Where rows are texts only, they could be names.
    """
    if all(kind == TEXT for kind in kinds):
        return place
    for below, record in enumerate(records[place:HIGHEST_HEADER], place):
        if len(record.cells) != width or not _is_header(record.cells, kinds):
            break
        if record.filled == width:
            return below
    return place


def _is_header(cells: Sequence[str], kinds: Sequence[str]) -> bool:
    """Return whether a line can name the columns: no cell is like a value below it."""
    filled = [(cell, kind) for cell, kind in zip(cells, kinds, strict=True) if cell.strip()]
    periods = 0
    for cell, kind in filled:
        if looks_like_name(cell):
            continue
        # 2026-01 above numbers is a month's column, and so is 2026.
        is_period = kind == NUMBER and (kind_of(cell) == DAY or re.fullmatch(r"(19|20)\d\d", cell))
        if not is_period:
            return False
        periods += 1
    return (periods != 1 and periods < len(filled)) or periods == 0


def _is_second_header(records: Sequence[Record], place: int, width: int) -> bool:
    """Return whether the line below the header goes on with it, as surveys write answers."""
    if place + 2 >= len(records):
        return False
    below = records[place + 1]
    if len(below.cells) != width or below.cells[0].strip():
        return False
    if any(cell.strip() and not looks_like_name(cell) for cell in below.cells):
        return False
    if TOTAL.fullmatch(next(cell for cell in below.cells if cell.strip()).strip()):
        return False
    rows = records[place + 2 : place + 2 + SAMPLE_RECORDS]
    return all(row.cells[0].strip() for row in rows if len(row.cells) == width)


def _join_headers(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return one name a column: the question, and the answer where a question has several."""
    names = []
    question = ""
    for upper, lower in zip(first, second, strict=True):
        name = upper.strip()
        if name:
            question = name
        else:
            name = f"{question}: {lower.strip()}".strip(": ")
        names.append(name)
    return _number_repeats(names)


def _fill_names(cells: Sequence[str]) -> list[str]:
    """Return names where the header leaves some empty; nothing where it names every column."""
    if all(cell.strip() for cell in cells):
        return []
    names = []
    for place, cell in enumerate(cells, 1):
        names.append(cell.strip() or f"column_{place}")
    return _number_repeats(names)


def _number_repeats(names: Sequence[str]) -> list[str]:
    unique: list[str] = []
    taken: set[str] = set()
    for name in names:
        number = 1
        new = name
        while new.casefold() in taken:
            number += 1
            new = f"{name} ({number})"
        taken.add(new.casefold())
        unique.append(new)
    return unique


def _find_end(records: Sequence[Record], start: int, kinds: Sequence[str]) -> int:
    """Return the place after the last row: below it are totals, remarks and narrower lines."""
    end = len(records)
    while end > start + 1:
        record = records[end - 1]
        above = records[start : end - 1]
        if not _is_remark(record, above, kinds) and not _is_total(record, above, kinds):
            return end
        end -= 1
    return len(records)


def _is_remark(record: Record, above: Sequence[Record], kinds: Sequence[str]) -> bool:
    """Return whether a line is narrow, or holds one cell, and is not like the lines above it."""
    narrow = len(record.cells) < len(kinds)
    lonely = len(kinds) > 2 and record.filled == 1
    if not narrow and not lonely:
        return False
    place = next(place for place, cell in enumerate(record.cells) if cell.strip())
    cell = record.cells[place].strip()
    if kinds[place] != TEXT:
        return kind_of(cell) != kinds[place]
    shape = re.sub(r"\w", "x", cell)
    for row in above[-50:]:
        if place < len(row.cells) and re.sub(r"\w", "x", row.cells[place].strip()) == shape:
            return False
    return True


def _is_total(record: Record, above: Sequence[Record], kinds: Sequence[str]) -> bool:
    """Return whether a line sums up lines above: it says so, and its cells do not contradict."""
    first_cells = [cell.strip() for cell in record.cells if cell.strip()][:2]
    total = next((cell for cell in first_cells if TOTAL.fullmatch(cell)), None)
    if total is None:
        return False
    place = [cell.strip() for cell in record.cells].index(total)
    if place < len(kinds) and kinds[place] != TEXT:
        return True
    usual = [row for row in above[-50:] if len(row.cells) == len(record.cells)]
    typical = sorted(row.filled for row in usual)[len(usual) // 2] if usual else 0
    if record.filled < typical:
        return True
    return _holds_sum(record, above, kinds)


def _holds_sum(record: Record, above: Sequence[Record], kinds: Sequence[str]) -> bool:
    """Return whether a number of the line is the sum of its column, or of its last part."""
    for place, kind in enumerate(kinds):
        value = amount(record.cells[place]) if place < len(record.cells) else None
        if kind != NUMBER or not value:
            continue
        total = 0.0
        for count, row in enumerate(reversed(above), 1):
            total += (amount(row.cells[place]) if place < len(row.cells) else None) or 0.0
            # A row of its own may hold the same number as the one before.
            if count > 1 and abs(total - value) <= TOLERANCE:
                return True
    return False


def has_sections(rows: Sequence[Record], width: int) -> bool:
    """Return whether most lines leave their first cell empty, as below the heading of a part."""
    opened = [row for row in rows[:SAMPLE_RECORDS] if row.cells[0].strip()]
    return width > 3 and len(opened) * 4 < len(rows[:SAMPLE_RECORDS])


def _find_skipped(rows: Sequence[Record], width: int, kinds: Sequence[str]) -> list[str]:
    """Return the texts at the beginning of lines among the rows that are no rows."""
    in_sections = has_sections(rows, width)
    patterns: dict[str, None] = {}
    for place, record in enumerate(rows):
        cells = [cell.strip() for cell in record.cells[:2]]
        total = next(filter(_says_total, cells), None)
        if total is not None:
            if _is_total(record, rows[max(0, place - SAMPLE_RECORDS) : place], kinds):
                patterns.setdefault(total)
        elif (in_sections and cells[0] and record.filled == 1) or (
            len(record.cells) == 1 < width and _is_remark(record, rows[:place], kinds)
        ):
            patterns.setdefault(cells[0])
    if len(patterns) > MOST_PATTERNS:
        return []
    return list(patterns)


def _says_total(cell: str) -> bool:
    """Return whether a cell says that its line sums others up; most do not by their beginning."""
    return cell[:3].casefold() in TOTAL_BEGINNINGS and TOTAL.fullmatch(cell) is not None


def _count_lines(records: Sequence[Record]) -> int:
    return sum(record.lines for record in records)


def _shown(record: Record) -> str:
    return " ".join(cell.strip() for cell in record.cells if cell.strip())[:80]


def _guess_records(path: Path) -> list[OptionGuess]:
    """Return the list in a JSON document that holds its rows, with its reason."""
    records, count = find_records(path)
    if not records:
        return []
    why = f"the file is an object, and its longest list of objects has {count:,} rows"
    return [OptionGuess("records", records, why)]


def guess_layout(path: Path, layout: Layout) -> list[OptionGuess]:
    """Return a layout as options of a source, each with its reason."""
    guesses = _guess_records(path)
    if layout.encoding:
        guesses.append(OptionGuess("encoding", layout.encoding, "its bytes are no UTF-8"))
    usual = "\t" if inner_ending(path) == ".tsv" else ","
    if layout.delimiter != usual and is_text(path):
        why = "it divides the lines into as many cells as the header"
        guesses.append(OptionGuess("delimiter", layout.delimiter, why))
    if layout.widths:
        why = "no sign divides its lines; their columns stand at fixed places"
        guesses.append(OptionGuess("widths", layout.widths, why))
    if layout.header is None:
        why = "the first line holds values like those below it, so no line names the columns"
        guesses.append(OptionGuess("header", "none", why))
    elif layout.header != 1:
        shown = layout.above[0] if layout.above else ""
        count = layout.header - 1
        above = "1 line" if count == 1 else f"{count} lines"
        why = f"{above} above the header on line {layout.header}: {shown}"
        if layout.two_lines:
            why = f"two lines name the columns; the header ends on line {layout.header}"
        guesses.append(OptionGuess("header", layout.header, why))
    if layout.names:
        why = "ask: what the columns are called"
        if layout.header is not None:
            why = "where the header leaves a column without a name"
        guesses.append(OptionGuess("names", layout.names, why))
    if layout.footer:
        shown = "; ".join(layout.below[:2])
        why = f"the last {layout.footer} lines are totals or remarks and no rows: {shown}"
        if layout.footer == 1:
            why = f"the last line is a total or a remark and no row: {shown}"
        guesses.append(OptionGuess("footer", layout.footer, why))
    if layout.skipped:
        why = "lines among the rows that are totals or headings: left out, not counted"
        guesses.append(OptionGuess("skip", layout.skipped, why))
    return guesses

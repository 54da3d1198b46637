"""Every sentence about a board, as it is read, in one place.

A wording has slots in braces; what stands in brackets is left out where one of its slots is empty
(`phrases`). Slots mean the same everywhere:

- `{L}` and `{l}` are a metric's label, at the start of a sentence and inside it; `{S}` and `{s}`
  those of a North Star; `{count}` counts what a label names (`44 sad customers`).
- `{value}`, `{target}`, `{gap}` are facts; `{grain}` is `week`; `{when}` a period.
- `{was}`, `{have}` … agree with `{L}`.

What to do about a light has a table of its own (`decisions`).
"""

from __future__ import annotations

from collections.abc import Mapping

# What happened, against what was agreed.
LIGHTS: Mapping[str, str] = {
    "counted": "{count} {in_} {when}",
    "measured": "{L} {was} {value} {in_} {when}",
    "named": "{L}: {value}",
    "short": "{what}, {gap} short of target ({target}).",
    "above": "{what}, {gap} above target ({target}).",
    "on": "{what}, exactly on target.",
    "over": "{what}, {gap} over the limit of {target}.",
    "under": "{what}, {gap} under the limit of {target}.",
    "at": "{what}, exactly at the limit.",
    "inside": "{what}, inside the agreed range of {low} to {high}.",
    "below range": "{what}, below the agreed range of {low} to {high}.",
    "above range": "{what}, above the agreed range of {low} to {high}.",
    "alone": "{what}.",
    "line short": "{what}, {gap} short of {target}.",
    "line above": "{what}, {gap} above {target}.",
    "line on": "{what}, on target.",
    "line at": "{what}, at the limit.",
    "rose": "{L} rose {change} to {value}.",
    "fell": "{L} fell {change} to {value}.",
    "changed": (
        "{went} from the {grain} before[{judged}][{joint}{year} from a year earlier]"
        "[{judged_year}]."
    ),
    "accepted": "{who} has accepted this until {until}: {because}.",
}
# Why a metric has no light: after its name, or after the names of several.
UNJUDGED: Mapping[str, str] = {
    "no data": "no data for {when}.[ The data end on {reach}.]",
    "stale": "no result for {when} yet.[ {system} is late; its data end on {reach}.]",
    "incomplete": "no result for {when} yet.[ The data end on {reach}.]",
    "no target": "no value and no target for {when}.",
    "fault": "no result for {when}.[ {system} sent bad data.]",
    "too short": "too new to judge.",
    "unreconciled": "no result for {when}. Two systems disagree by more than the agreed tolerance.",
    "inherited": "no result for {when}. Two systems disagree about what it is made of.",
}
# The same of several metrics at once.
TOGETHER: Mapping[str, str] = {
    "no data": "No data for {when}: {names}.[ The data end on {reach}.]",
    "stale": "No result for {when} yet: {names}.[ {system} is late; its data end on {reach}.]",
    "incomplete": "No result for {when} yet: {names}.[ The data end on {reach}.]",
    "fault": "No result for {when}: {names}.[ {system} sent bad data.]",
    "unreconciled": (
        "No result for {when}: {names}. Two systems disagree by more than the agreed tolerance."
    ),
}
# Whether a value is one of its usual ones.
USUAL: Mapping[str, str] = {
    "range": "(usual range {lower} to {upper})",
    "range after": "(usual range after the {grain} before: {lower} to {upper})",
    "up to": "(usually up to {upper})",
    "from": "(usually {lower} or more)",
    "ordinary": "an ordinary {grain}[ {range}]",
    "outside": "a real change{meant}[ {range}]",
    "trend": "a real change{meant}: it has moved one way for too long to be chance",
    "crossings": "a real change{meant}: it crosses its median too rarely to be chance",
    "shift": "a real change{meant}: it is on another level than before",
    "near-limit": "a real change{meant}: too often near one end of its usual range to be chance",
    "run": "a real change{meant}: on one side of its average of {center} for too long to be chance",
    "run foreseen": (
        "a real change{meant}: on one side of what its season and trend lead us to expect "
        "({center}) for too long to be chance"
    ),
    "run after": (
        "a real change{meant}: on one side of what the {grain} before leads us to expect "
        "({center}) for too long to be chance"
    ),
}
FINDINGS: Mapping[str, str] = {
    "level": "{L} {have} averaged {now}[ a {each_}] since {since}, {way} from {before}.",
    "event": "The {turn} began with {event} on {day}.",
    "event later": "The {turn} began {lag} after {event} ({day}).",
    "too": "{others} changed with it.",
    "effect": "{effect}.",
    "no effect": "No effect on {s} is seen.",
    "cost": "Left alone, this costs about {cost} a year[ (likely {low} to {high})].",
    "watermelon": (
        "{L} {is_} off target, yet {green} of {its} {inputs} inputs {agree} on target and none is "
        "off. We may be measuring the wrong inputs."
    ),
    "watermelon all": (
        "{L} {is_} off target, yet all {inputs} of {its} inputs are on target. We may be measuring "
        "the wrong inputs."
    ),
    "watermelon one": (
        "{L} {is_} off target, yet {its} one input is on target. We may be measuring the wrong one."
    ),
    "decline": (
        "On target, but worsening: {l} {have} {moved} about {falls} a {grain} for {lasted}."
    ),
    "decline ends": (
        "On target, but not for long: {l} {have} {moved} about {falls} a {grain} for {lasted}. "
        "At this rate {it} {miss} target in about {left}."
    ),
    "decline by signal": "{L} {is_} on target, but this is {usual}.",
    "noise": "{L}: {value} is {usual}, even though it misses target.",
    "rose": "{L} rose {risen} {compared}, with no effect seen on {s}.",
    "fell": "{L} fell {risen} {compared}, with no effect seen on {s}.",
    "idle": "{L} {is_} on target, with no effect seen on {s}.",
    "idle lately": "On average {l} {have} been on target lately, with no effect seen on {s}.",
    "against": "We expected {l} to move {s}. The data show no effect.",
    "opposite": "We expected {l} to {raise_} {s}. The data show the opposite.",
    "good and idle": "Good results with no effect seen on any North Star: {names}.",
    "good and idle one": "A good result with no effect seen on any North Star: {names}.",
    "busy and idle": "Busy, with no effect seen on any North Star: {names}.",
}
# Why a metric is where it is, in one short sentence below its headline.
CAUSES: Mapping[str, str] = {
    "no event": "No cause of the {turn} is known yet.",
    "slide": "No cause of the slide is known yet.",
    "real change": "It is {usual}; no cause is known yet.",
    "ordinary": "It is an ordinary {grain}: there is no single cause to look for.",
    "no cause": "No single cause is known yet.",
}
LINKS: Mapping[str, str] = {
    "higher": (
        "{L}: every {step} more {has_} been followed, {lag} later, by {s} {size} higher "
        "(likely {low} to {high})[; the same link shows in {alike}]."
    ),
    "lower": (
        "{L}: every {step} more {has_} been followed, {lag} later, by {s} {size} lower "
        "(likely {low} to {high})[; the same link shows in {alike}]."
    ),
    "reversed": "We had expected the opposite.",
    "together": ("{L} and {s} move in the same {grain}, so the data can't show which moves which."),
    "against": FINDINGS["against"],
    "open": "No sign yet that {l} {move} {s}. About {needed} more of data will tell.",
    "untold": "The data can't show whether {l} {move} {s}: {why}.",
    "moves": "when your {others} {rise}, {m} {answers} {lag} later",
    "follows": "when {m} {rise}, your {others} {answers} {lag} later",
    "goes with": "your {others} and {m} move in the same {grain}",
    "does not move": "we expected your {others} to move {m}; no effect seen",
    "is part of": "your {others} {are} part of {m}",
    "is computed from": "your {others} {are} calculated from {m}",
}
LUCK: Mapping[str, str] = {
    "one": (
        "Expect the {L} light to change by chance in about {changes} {grain}s of {periods}. "
        "Read several {grain}s together."
    ),
    "many": "Changes of light to expect by chance in {periods} {grain}s: {each_light}.",
    "still": "{Names}: a change of {its} light is rarely chance.",
    "board": (
        "Even if nothing changes, expect about {differ} of these {lights} lights to differ next "
        "{grain}. Expect {alarms} false {alarm} in {periods} {grain}s."
    ),
    "alarms": "Expect {alarms} false {alarm} in {periods} {grain}s.",
}
PACE: Mapping[str, str] = {
    "so far": "Day {day_now} of {days}: {so_far} so far[, {expected} needed by now].",
    "counted": "{count}",
    "named": "{L} {value}",
    "course": "On course for about {landing}[; {against}].",
    "target": "target {target}",
    "limit": "limit {target}",
    "range": "agreed range {low} to {high}",
    "chance": "Chance of meeting it: {chance}.",
}
CHANGES: Mapping[str, str] = {
    "rose": "{L} rose {change} {base}: {parts}.",
    "fell": "{L} fell {change} {base}: {parts}.",
    "level": "No net change in {l} {base}: {parts}.",
    "rose all": "{L} rose {change} {base}, all of it from {part}.",
    "fell all": "{L} fell {change} {base}, all of it from {part}.",
    "rose nearly all": "{L} rose {change} {base}, almost all of it from {part}.",
    "fell nearly all": "{L} fell {change} {base}, almost all of it from {part}.",
    "rose alone": "{L} rose {change} {base}. There is no breakdown to explain it.",
    "fell alone": "{L} fell {change} {base}. There is no breakdown to explain it.",
    "level alone": "{L} and all its parts are unchanged {base}.",
    "no data": "No explanation for {l}: data are missing for {when} or {then}.",
    "previous": "from the {grain} before",
    "year": "from a year earlier",
    "period": "from {then}",
    "light": "{L}: {light_then} on {day}, {light} now.",
    "none": "No light has changed since {day}.",
}
ANSWERS: Mapping[str, str] = {
    "gain": (
        "{L}: each {one} more is worth about {price} a year[ through {s}]"
        "[ (likely {low} to {high})].[ It shows after {lag}.]"
    ),
    "cost": (
        "{L}: each {one} more costs about {price} a year[ through {s}]"
        "[ (likely {low} to {high})].[ It shows after {lag}.]"
    ),
    "no value": "No money value for {l}: {reason}.",
    "unpriced": "No money value for {l}: none is set (worth: in params).",
    "unpriced star": "No money value for {l}: none is set for {s} (worth: in params).",
    "money": "{L} {is_} already in money.",
    "turns": "{L} {turns} {light} at {value} or {side}.",
    "stays": "{L} {stay} {light} at {value} or {side}.",
    "range": "Agreed range for {l}: {low} to {high}.",
    "no target": "No target, so no light.",
    "luck": "Even if nothing changes, there is {an} {flips} chance of another light next {grain}.",
    "drop": "We will drop the link to {s} if its likely range comes to include zero.",
    "wait": "About {needed} more of data will show whether {s} {follow}.",
}
SOLVING: Mapping[str, str] = {
    "first": "First: {title}. Left alone, it costs about {cost} a year[ (likely {low} to {high})].",
    "second": "Second: {title}. About {cost} a year[ (likely {low} to {high})].",
    "third": "Third: {title}. About {cost} a year[ (likely {low} to {high})].",
    "why": "{why}.",
    "listed": "Work on “{title}” must start by {start_by}.",
    "listed late": "Work on “{title}” had to start by {start_by}.",
    "start": "Start by {start_by} to reach this year's target.",
    "late": "Start now: it should have begun by {start_by} to reach this year's target.",
    "too late": "Too late for this year's target, but the cost goes on until it is fixed.",
    "again": "On this list for {reports} already.",
    "closed": "Closed since the last report: {title}.",
    "nothing": "No item has a money value yet.",
}
REACTIONS: Mapping[str, str] = {
    "long overdue": (
        "{who}: respond on {l} now. It was due {due} and nothing has been recorded since {since}."
    ),
    "overdue": "{who}: respond on {l} now. It was due {due}, {days_late} ago.",
    "running": "{who} to respond on {l} by {due}.",
    "no owner": "No owner for {l}: name one. The response was due {due}.",
    "no owner yet": "No owner for {l}: name one. The response is due {due}.",
    "no newer data": "{who}: respond on {l}. Last result {light} since {since}; no newer data.",
    "note": "{who}, {day}[ (about {about})]: {text}",
    "note on": "{L}. {who}, {day}[ (about {about})]: {text}",
    "untold": "{L} {is_} on target and nobody has been told: {it} {is_} in no published report.",
}
TRUST: Mapping[str, str] = {
    "equal": "{A} and {B} agree[ on {l}] for {when}: {a}.",
    "within": "{A} ({a}) and {B} ({b}) agree[ on {l}] within the agreed {allowed}.",
    "apart": "{A} ({a}) and {B} ({b}) disagree[ on {l}] by {gap}; {allowed} is allowed.",
    "no data": "No comparison[ of {l}] for {when}: {A} or {B} has no data.",
    "open": "{A} {a}, {B} {b} so far {in_} {when}; more rows may arrive.",
    "history": "They disagreed in {apart} of {compared}[; {open} more may still change].",
    "restated": "{L}, {when}: reported {reported}, {value_now}. {reason}.",
    "now": "now {value}",
    "now more": "now {by} more",
    "now less": "now {by} less",
    "late row": "{rows} row arrived late",
    "late rows": "{rows} rows arrived late",
    "dropped row": "{rows} row was removed",
    "dropped rows": "{rows} rows were removed",
    "changed rows": "Its rows have changed",
    "redefined": "The definition has changed",
    "restated rest": "{L}: {cases} reported {grain}s have changed in all.",
    "redefined rest": "{L}: {cases} reported {grain}s use the old definition.",
    "faulty": (
        "{system} sent bad data, so its numbers are not shown.[ Owner: {owner}.]"
        " First error: {fault}"
    ),
    "overdue": (
        "{system} data are late: last received {last}[, due before {due}].[ Owner: {owner}.]"
    ),
    "no rows": "No data received from {system}.[ Owner: {owner}.]",
    "no record": "No forecast record yet: no {grain} with a forecast has ended.",
    "few": "Forecast record: {periods} so far; {needed} are needed to judge it.",
    "green missed": "Forecast {light}, then missed target: {cases} of {of}.",
    "red met": "Forecast {light}, then met target: {cases} of {of}.",
    "score": (
        "How good our forecasts were: Brier score {brier} over {cases} "
        "(zero is perfect, a quarter is a coin toss)."
    ),
    "few chances": "Too few forecasts to score.",
}
TABLES: Mapping[str, Mapping[str, str]] = {
    "lights": LIGHTS,
    "unjudged": UNJUDGED,
    "together": TOGETHER,
    "usual": USUAL,
    "findings": FINDINGS,
    "causes": CAUSES,
    "links": LINKS,
    "luck": LUCK,
    "pace": PACE,
    "changes": CHANGES,
    "answers": ANSWERS,
    "solving": SOLVING,
    "reactions": REACTIONS,
    "trust": TRUST,
}

"""Phrases: how people say that a target is met, that something is usual, that it is the third week in a row.

Patterns only. What a phrase claims is weighed in `weighing`.
"""

from __future__ import annotations

import re

PLAN = r"(?:the |our |its |their )?(?:target|plan|goal|quota|budget|limit)"
STEPS = r"(?:week|month|quarter|year|day|period)s?"
AGREED = r"(?:promised|planned|agreed|aimed|budgeted|committed|needed|allow(?:ed)?|accept(?:ed)?|acceptable)"


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


NOT = _any(
    "not",
    "nothing",
    "never",
    "hardly",
    "far from",
    "no longer",
    "(?:is|are|was|were|did|do|does|has|have)n't",
    "nowhere near",
    "without",
)
MET = _any(
    rf"(?:on|hits?|met|meets|meeting|reach(?:ed|ing)|beats?|exceed(?:ed|s)|made|cleared|at|within|inside) {PLAN}",
    rf"(?:ahead of|better than) {PLAN}",
    "on track",
)
MISSED = _any(rf"(?:miss(?:ed|es|ing)?|(?:fell )?short of|behind|off|failed|worse than) {PLAN}")
SIDE = _any(rf"(above|over|below|under) {PLAN}")
LAST_YEAR = _any(
    "last year", "year before", "a year ago", "12 months ago", "year[ -]on[ -]year", "yoy", "previous year"
)
TARGET = _any("target", "plan", "goal", "quota", "budget", "limit", "short", "shy", AGREED)
BETTER = _any("(better|improv(?:ed|ing|es)|worse|worsen(?:ed|ing)|deteriorat(?:ed|ing))")
FLAT = _any(
    "flat", "unchanged", "level", "(?:no|did not|didn't) change", "(?:the )?same as", "stood still", "stable", "steady"
)
_NORMAL = r"(?:what|anything) (?:is|we|it) ?(?:normal|usual|expect|know)?(?:ly)?"
USUAL = _any("within (?:its|the|our) (?:usual|normal) (?:range|limits)", rf"within {_NORMAL}", "(?:just|only|mere) noise",
              "common cause", "no signal", "normal variation", "nothing unusual", "(?:business )?as usual",
              "random (?:fluctuation|variation|noise|ups and downs)", "(?:is|was|by|pure|just|only|mere) chance",
              "coincidence", "normal ups and downs")  # fmt: skip
UNUSUAL = _any(
    "outside (?:its|the|our) (?:usual|normal) (?:range|limits)",
    rf"(?:outside|beyond)(?: of)? {_NORMAL}",
    "(?<!no )signal",
    "special cause",
    "(?<!nothing )unusual(?:ly)?",
    "exceptional(?:ly)?",
    "out of the ordinary",
)
FACTORS = {"doubled": 2, "twice": 2, "double": 2, "tripled": 3, "halved": 0.5, "half": 0.5}
TIMES = _any(f"({'|'.join(FACTORS)})", r"(\d+) times(?! (?:in a row|running))")
NTH = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8}
STREAK = _any(rf"(\d+|{'|'.join(NTH)})(?: (?:{STEPS}|time))?(?: {STEPS})? ?(?:in a row|running|straight|consecutive)",
               rf"(\d+) (?:straight|consecutive) {STEPS}")  # fmt: skip
RANK = _any("(highest|best|lowest|worst|record|peak|all-time high|all-time low)")
REACH = _any(
    rf"(?:in|for|of|in the|of the|for the)(?: last| past)? (\d+) {STEPS}", r"(?:of|in) the (?:last|past) (\d+)"
)
AGO = _any(rf"\d+ {STEPS} (?:ago|earlier|before|later|long|old)")
PART = _any(r"(\d+) (?:in|out of|of|of every|in every) (\d+)")
THEN = _any("was", "were", "last (?:week|month|quarter|year)")
ABOUT, ALMOST, MORE, LESS = (
    re.compile(rf"\b(?:{words})\s*$", re.IGNORECASE)
    for words in (
        "about|around|roughly|approximately|some|close to|circa",
        "nearly|almost|just under|just below|not quite",
        "over|more than|above|at least|exceeding",
        "under|less than|fewer than|below|at most|no more than",
    )
)

COUNT = _any(rf"\d+ {STEPS}(?= (?:in a row|running|of|on|after|before)\b)")
COUNTED = re.compile(
    r"\b(?:week|version|release|v|Q|quarter|day|ticket|step|room|phase|no\.?|number|#)\s?$", re.IGNORECASE
)
PLAIN = re.compile(
    r"\s?(?:%|percent|points?\b)|\s*(?:$|[.,;:)!?])|\s+(?:day|week|month|quarter|year) on\b|"
    r"\s+(?:in|on|against|of|this|last|for|vs|versus|and|to|from|more|less|fewer|up|"
    r"down|higher|lower|above|below|over|under|short|ahead|behind|better|worse|than|a|per|now|so|at|after|by|was|is|were|target|"
    r"away|off|instead|rather|we|they|it|that|which|you|had|would|where|but|again|today|because|since|when|while|though|only|came|went|took|"
    r"made|happened|left|did|are|were)\b"
)
NOUN = re.compile(r"[\s-]+([A-Za-z\u2022]+)")


SHARE_OF = re.compile(rf"\s?(?:%|percent)? of {PLAN}\b")
AS_TARGET = re.compile(
    r"\b(?:target|plan|goal|quota|budget|limit) (?:of|is|was|at|being) $|"
    rf"\b{AGREED} (?:on |to |for |at )?$|"
    r"\b(?:against|versus|vs\.?|instead of|rather than) (?:a |the |our )?(?:target of |plan of )?$"
)
_WE = r"(?:that |which )?(?:(?:we|they|you|were|was|is|would be|would have been)\s)+(?:have |had )?"
IS_TARGET = re.compile(rf"\s*(?:%|percent|\S+)?\s*(?:{_WE})?{AGREED}\b", re.IGNORECASE)
LACKING = re.compile(r"\s*(?:\S+ )?(?:is|are|was|were)? ?(?:missing|lacking|too few|too many)\b", re.IGNORECASE)
BESIDE = re.compile(
    r"\b(above|over|more than|beyond|below|under|less than|fewer than|within) (?:the |our )?$", re.IGNORECASE
)
WAS = re.compile(
    r"^\W*(?:(?:in the|the) )?(?:last (?:week|month|quarter|year)|(?:a|the) (?:week|month|quarter|year) (?:ago|before)|"
    r"(?:this time|the same (?:week|month|quarter)) last year|12 months ago)\b(?!.*\b(?:now|today|this)\b)",
    re.IGNORECASE,
)
FROM = re.compile(
    r"\b(?:from|(?<!more )(?<!less )(?<!fewer )than|after|was|were) (?:the )?$|^last (?:week|month|quarter) (?:[a-z]+ )*$",
    re.I,
)
EARLIER = re.compile(r"\s*(?:\w+ )?(?:last (?:week|month|quarter|year)|the (?:week|month) before|a year ago)\b")
_SOME = r"(?:about |around |roughly |nearly |almost |over |more than |just |a full )?"
_NOUNS = "increase|decrease|rise|drop|fall|decline|gain|loss|growth|jump|improvement|plus|minus|deterioration"
_AWAY = r"up|down|ahead|behind|above|below|more|less|fewer|over\w+|under\w+|missed|beat|exceeded|lag\w*|trail\w*|rose|fell|grew"
_VERBS = (
    "up|down|rose|fell|grew|dropped|climbed|slipped|declined|increased|decreased|gained|lost|jumped|short|ahead|"
    "soared|plunged|tumbled"
)
MOVED_BY = re.compile(
    rf"\b(?:{_NOUNS}) of {_SOME}$|\b(?:{_AWAY})\b.* by {_SOME}$|"
    rf"\b(?:{_VERBS})(?: of \w+)?(?: by| another)?(?: about| around| roughly| nearly| almost| over| more than| just)? $",
    re.IGNORECASE,
)
MOVED = re.compile(
    r"\s*(?:\S+ )?(?:more|less|fewer|higher|lower|above|below|short|ahead|behind|over|under|up|down|away|off)\b"
)

"""Topics: whether a clause is about a metric at all, or about something that happened in the house.

`We lost our biggest prospect`, `the CRM was down for an hour`, `half the team was ill`: the words of a claim, and no claim
about the number beside them. A clause speaks of the number where every word of it is the metric's own or one with which
people talk about numbers; a reason behind `because` may hold any words.
"""

from __future__ import annotations

import re

from dataops_nb.story.weighing import About

_TALK_WORDS = """
    a about above accept acceptable accepted across after again against ago agreed ahead aimed all allow allowed almost
    already also always amber among amount an and another any approximately are area around as at average away back bad
    badly be beat beats because been before behind being below best better between big bit both bounced budget budgeted
    business but by came can cause certainly chance change changed clear cleared clearly climbed climbing close closed
    coincidence color colour come comes committed common compared comparison consecutive control count counted current
    currently cut day days dead decline declined declining decrease decreased delivered despite deteriorated did
    difference disappointing do does doing done double doubled doubt down downs downward drop dropped dropping due
    during each earlier eight eighth either end ended ends even ever every exactly exceed exceeded exceeds exceptional
    exceptionally expected fact failed fall fallen falling far fell few fewer fifth figure figures finally fine finished
    first flat fluctuation for fourth frankly from gain gained gap get gets getting goal goes going gone good got great
    green grew ground grow growing grown growth had half halved happened happily hardly has have held here high higher
    highest hit hits hold hope how i improve improved improvement improving in increase increased increasing indeed
    inside instead into is it its job joke jump jumped just keep keeps kept lagged lagging landed large last late later
    latest least less let level light like limit limits little long look looks lost low lower lowest luckily made make
    makes managed many margin mark me mean means met middle miss missed misses missing mistake moderate moderately month
    monthly months more most mostly move moved moving much my near nearly need needed needs never new news next no noise
    none normal normally not nothing now number numbers obviously occurred of off often on once one ones only onto or
    ordinary other our out outperformed outside over overall overshot overtaken overtook own pace par past peak per
    percent percentage perfect performance period periods picked pity place plan planned plateau plunged point points
    poor pretty previous probably promised quarter quarterly quarters question quite quota random range rate rather
    reach reached reaches reaching read reading real really recent recently record recover recovered red remain remained
    remains result results right rise risen rises rising rose roughly row running sadly safely same sank saw second see
    seen series seventh shape share sharp sharply short should show shown shows shrank shrinking shrunk shy side signal
    similar simply since single sits six sixth slight slightly slip slipped small so soared sold some somewhat special
    stable stagnant stand stands stay stayed stays steadily steady still stood stopped story straight strong stronger
    such sudden suddenly summer surely surge surged surpassed tally target targets team than thankfully that the their
    them then there these they thing things third this those though time times to today together too took top topped
    total toward towards track trailed trailing trend tripled tumbled turned twice two unchanged under undershot
    unfortunately unlike until unusual up ups upward us usual usually value variation very volume was way we weak weaker
    week weekly weeks well went were what when where which while who whole widely will with within without work worked
    worse worsened worst would wrong year yearly years yellow yesterday yet you yoy
"""
_TALK = frozenset(_TALK_WORDS.split())
_REASON = re.compile(
    r"\b(?:because|since|due to|thanks to|as a result of|owing to|caused by|after|when|while|where|comes? from|despite|"
    r"in spite of|although|though|whereas|thanks)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][a-z]+)?")


def stranger(clause: str, about: About) -> str | None:
    """The first word of a clause, before its reason, that is neither the metric's nor talk about numbers; None without one."""
    said = _REASON.split(clause, maxsplit=1)[0]
    return next((word for word in _WORD.findall(said) if not _known(word.lower(), about)), None)


def _known(word: str, about: About) -> bool:
    plain = re.sub(r"['\u2019](?:s|re|ve|t|ll|d)?$", "", word)
    return len(plain) < 2 or plain in _TALK or plain.removesuffix("n") in _TALK or _stem(plain) in about.words


def _stem(word: str) -> str:
    return word.rstrip("s")

"""Invented people: names in the scripts a school really meets. Nobody here exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

GREEK = (
    ("Ανθή", "Θράσος", "Ισμήνη", "Κλειώ", "Λεωνίδας", "Μελπομένη", "Ορέστης", "Φαίδρα"),
    ("Ακριτίδου", "Βαλτινός", "Γαλανάκη", "Δροσινού", "Ζερβάκης", "Ηλιοπούλου", "Κρασάς", "Μελισσηνός"),
)
CYRILLIC = (
    ("Злата", "Радко", "Милена", "Ярослав", "Їванна", "Богдан", "Веселина", "Тихомир"),
    ("Бережная", "Горянов", "Дубравчук", "Ковалёк", "Лугова", "Орличенко", "Синебрюх", "Ясенева"),
)
ARABIC = (
    ("سلمى", "نزار", "ليان", "بهاء", "رغد", "أنس", "جوانا", "معتز"),
    ("الزيتوني", "الرمحي", "البستاني", "الحدّاق", "النخيلي", "الورّاق", "السنونو", "الغدير"),
)
HEBREW = (
    ("נועה", "איתמר", "שירה", "גלעד", "תמר", "אורי", "הילה", "רון"),
    ("ארזי", "כרמלי", "אלוני", "דרורי", "גפני", "ברקאי", "שקדי", "תבורי"),
)
HAN = (
    ("雨桐", "志远", "若兰", "子墨", "晓峰", "思琪", "凌云", "佳音"),
    ("欧阳", "沈", "梁", "贺", "苏", "程", "柳", "方"),
)
DEVANAGARI = (
    ("अनन्या", "विवान", "ईशिता", "कबीर", "तारा", "रोहन", "मीरा", "ध्रुव"),
    ("चन्दनवार", "नीलगिरी", "पर्वतकर", "सरोवरे", "हिमानी", "वनमाली", "तरंगे", "आकाशी"),
)
LATIN = (
    ("Zoë", "Þórdís", "Ağustos", "Łucja", "Núria", "Jørgen", "Štěpánka", "Françoise"),
    ("Østerlund", "Čapková", "Güneşli", "Świetlik", "Peñaflor", "Brønsted", "d’Orvallée", "Müßigbrodt"),
)
# Two whom a search may be tried with in every demo: by Latin letters, and by Greek ones with accents.
KNOWN = ("Eleni Markou", "Νικηφόρος Παπαδόπουλος")
SCRIPTS = (GREEK, CYRILLIC, ARABIC, HEBREW, HAN, DEVANAGARI, LATIN)


def invent_name(rng: Random) -> str:
    """A given and a family name of one script; Han names put the family first and no blank between."""
    script = rng.choice(SCRIPTS)
    given, family = rng.choice(script[0]), rng.choice(script[1])
    return family + given if script is HAN else f"{given} {family}"


def invent_names(rng: Random, count: int) -> list[str]:
    """So many different names, repeating only when the stock is used up."""
    found: list[str] = []
    known: set[str] = set()
    while len(found) < count:
        name = invent_name(rng)
        if name not in known or len(known) >= len(SCRIPTS) * 64:
            found.append(name)
            known.add(name)
    return found

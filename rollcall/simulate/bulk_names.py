"""Names for hundreds of thousands of invented people: few are everywhere, most are rare, some are two letters long."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from rollcall.simulate import names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

TWO_FAMILIES = 0.1


@dataclass(frozen=True, slots=True)
class Stock:
    """Given and family names of one script, the most common ones first."""

    given: Sequence[str]
    family: Sequence[str]

    def name(self, rng: Random) -> str:
        """One name; some have a family name of each parent."""
        family = common(rng, self.family)
        if rng.random() < TWO_FAMILIES:
            family += f"-{common(rng, self.family)}"
        return f"{common(rng, self.given)} {family}"


@dataclass(frozen=True, slots=True)
class HanStock(Stock):
    """The family first, and no blank between."""

    def name(self, rng: Random) -> str:
        """One name."""
        return common(rng, self.family) + common(rng, self.given)


def common(rng: Random, among: Sequence[str]) -> str:
    """One of these, the sooner the more it stands in front."""
    return among[int(len(among) * rng.random() ** 2)]


def _words(text: str) -> list[str]:
    return text.split()


def _joined(*parts: str) -> list[str]:
    """Every way to take one word from each text, as names; the same in each run, and neighbours not alike."""
    made = ["".join(some).capitalize() for some in product(*(part.split() for part in parts))]
    return sorted(made, key=_mixed)


def _mixed(text: str) -> int:
    found = 7
    for letter in text:
        found = (found * 1_000_003 + ord(letter)) % 2_147_483_647
    return found


GREEK = Stock(
    [*_words("Νικηφόρος Ελένη Αριάδνη Φωτεινή Στέλιος Θάλεια Μυρτώ Ιάσονας Δανάη Σταμάτης Λίνος"), *names.GREEK[0]],
    [
        "Παπαδόπουλος",
        "Μάρκου",
        *names.GREEK[1],
        *_joined(
            "παπα χατζη δημο καρα κοντο μακρυ γερο σταυρο",
            "νικ θε λι μαν ζωγρ φιλ ραπτ",
            "όπουλος ίδης άκης έλης ούσης άτος",
        ),
    ],
)
CYRILLIC = Stock(
    names.CYRILLIC[0],
    [*names.CYRILLIC[1], *_joined("бере гор дуб ков луг орл син яс", "ов ен ич ал", "енко ский чук ин ева")],
)
ARABIC = Stock(
    names.ARABIC[0],
    [*names.ARABIC[1], *_joined("ال", "زي رم بس حد نخ ور سن غد", "تو مح تا اق يل را نو ير", "ني ي وي")],
)
HEBREW = Stock(names.HEBREW[0], [*names.HEBREW[1], *_joined("אר כר אל דר גפ בר", "ז מ ו ק", "י ון לי")])
HAN = HanStock(
    [*names.HAN[0], *_joined("雨 志 若 子 晓 思 凌 佳 明 海 文 春", "桐 远 兰 墨 峰 琪 云 音 华 山 宁 光")],
    _words("沈 梁 贺 苏 程 柳 方 欧阳 李 白 石 江"),
)
DEVANAGARI = Stock(*names.DEVANAGARI)
LATIN = Stock(
    [*_words("Ada Jonas Mira Emil Lea Bo Al Jo Ida Ulf Nora Kai Ty Selma Otto Runa Piet Elif"), *names.LATIN[0]],
    [
        *_words("Markou Lindqvist Li Ek O’Dell"),
        *names.LATIN[1],
        *_joined(
            "bran ker hol stein wald mor fen gra lund", "a e i o", "berg mann sen ski dottir vik ley ström holt ard"
        ),
    ],
)

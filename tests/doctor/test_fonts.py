"""What the doctor says of fonts."""

from __future__ import annotations

import pytest

from rollcall.doctor import fonts as check_of_fonts
from rollcall.doctor.findings import Level
from rollcall.reports.pdf import fonts
from rollcall.reports.pdf.fonts import EMBEDDED, Family


def test_without_fonts_the_scripts_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "installed", lambda: (Family(EMBEDDED, ()),))
    monkeypatch.setattr(fonts, "_best", lambda _code: None)
    (finding,) = check_of_fonts.check()
    assert finding.level is Level.WARNING
    assert "Arabic" in finding.sentence
    assert "Greek" not in finding.sentence
    assert "fonts-noto-cjk fonts-noto-core" in finding.hint


def test_with_them_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Family, "has", lambda _self, _code: True)
    (finding,) = check_of_fonts.check()
    assert finding.level is Level.FINE

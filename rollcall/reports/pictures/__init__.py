"""Pictures as SVG, the same in a page and in a PDF. No database, no clock: the same bytes for the same rows."""

from rollcall.reports.pictures.bars import PATTERNS, class_bars, presence_bar, time_axis
from rollcall.reports.pictures.counting import Bucket
from rollcall.reports.pictures.drawing import Drawn
from rollcall.reports.pictures.matrix import MatrixMeeting, MatrixPerson, course_matrix
from rollcall.reports.pictures.present import people_present
from rollcall.reports.pictures.term import Attended, attended, term_calendar
from rollcall.reports.pictures.use import use_by_hour, use_over_time

__all__ = [
    "PATTERNS",
    "Attended",
    "Bucket",
    "Drawn",
    "MatrixMeeting",
    "MatrixPerson",
    "attended",
    "class_bars",
    "course_matrix",
    "people_present",
    "presence_bar",
    "term_calendar",
    "time_axis",
    "use_by_hour",
    "use_over_time",
]

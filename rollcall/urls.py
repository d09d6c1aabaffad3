"""Which view answers which address. Webhooks and live streams are answered before Django, in rollcall.asgi."""

from __future__ import annotations

from django.urls import path, register_converter

from rollcall.live import views as live
from rollcall.reports import views as reports
from rollcall.web import languages, sign_in
from rollcall.web import views as web


class DigestConverter:
    """The key of a person or an attendee: 16 bytes in hexadecimal."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


class FileConverter(DigestConverter):
    """What a report may be downloaded as."""

    regex = "|".join(reports.FILES)


register_converter(DigestConverter, "digest")
register_converter(FileConverter, "file")

urlpatterns = [
    path("", reports.home),
    path("meetings", reports.meetings),
    path("meetings.<file:kind>", reports.meetings_file),
    path("attendance.<file:kind>", reports.attendance_file),
    path("meetings/<int:pk>", reports.meeting),
    path("meetings/<int:pk>.<file:kind>", reports.meeting_file),
    path("meetings/<int:pk>/watch", live.watch),
    path("meetings/<int:pk>/live", live.live_page),
    path("meetings/<int:pk>/facts", reports.meeting_facts),
    path("meetings/<int:pk>/facts.<file:kind>", reports.meeting_facts_file),
    path("meetings/<int:pk>/facts/<digest:key>", reports.attendee_facts),
    path("meetings/<int:pk>/facts/<digest:key>.<file:kind>", reports.attendee_facts_file),
    path("people", reports.people),
    path("people.<file:kind>", reports.people_file),
    path("people/<digest:key>", reports.person),
    path("people/<digest:key>.<file:kind>", reports.person_file),
    path("servers", web.servers),
    path("servers.<file:kind>", reports.servers_file),
    path("coverage", reports.coverage),
    path("coverage.<file:kind>", reports.coverage_file),
    path("login", sign_in.login_page),
    path("login/link/<str:token>", sign_in.use_link),
    path("logout", sign_in.logout_page),
    path("language", languages.choose),
]

handler400 = "rollcall.web.error_pages.bad_request"
handler403 = "rollcall.web.error_pages.forbidden"
handler404 = "rollcall.web.error_pages.not_found"
handler500 = "rollcall.web.error_pages.server_error"

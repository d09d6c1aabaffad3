"""Which view answers which address. Webhooks and live streams are answered before Django, in rollcall.asgi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path, register_converter

from rollcall.api.views import api
from rollcall.live import views as live
from rollcall.reports.exports import views as exports
from rollcall.reports.registry import REPORTS
from rollcall.reports.views import audit, completion, courses, dashboard, facts, lists, meetings, people, servers, use
from rollcall.web import languages, sign_in, visits
from rollcall.web.completion import activities, classes, policy, sending
from rollcall.web.completion import person as completion_person
from rollcall.web.lti import choosing, configuration, launching, registering
from rollcall.web.operator import account, deliveries, licence, organisations, platforms, unclaimed

if TYPE_CHECKING:
    from django.urls import URLPattern

    from rollcall.reports.tables.report import Report


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

    regex = "|".join(lists.KINDS)


class ActConverter(DigestConverter):
    """What an operator does with a licence."""

    regex = "suspended|resumed|ended"


register_converter(ActConverter, "act")
register_converter(DigestConverter, "digest")
register_converter(FileConverter, "file")


def _file(report: Report) -> URLPattern:
    """Beside each report's page stand its files."""
    return path(f"{report.route}.<file:kind>", lists.file, {"name": report.name})


urlpatterns = [
    path("", dashboard.dashboard),
    *(path(REPORTS[name].route, lists.listing, {"name": name}) for name in lists.LISTS),
    *map(_file, REPORTS.values()),
    path("meetings/<int:pk>", meetings.meeting),
    path("meetings/<int:pk>/watch", live.watch),
    path("meetings/<int:pk>/live", live.live_page),
    path("meetings/<int:pk>/facts", facts.meeting_facts),
    path("meetings/<int:pk>/facts/<digest:key>", facts.attendee_facts),
    path("people/<digest:key>", people.person),
    path("courses/<digest:key>", courses.course),
    path("activities", activities.activities),
    path("activities/<digest:key>", activities.activity),
    path("activities/<digest:key>/policy", policy.policy),
    path("activities/<digest:key>/classes", classes.classes),
    path("activities/<digest:key>/sending", sending.sending),
    path("activities/<digest:key>/people/<digest:user>", completion_person.person),
    path("use", use.use),
    path("audit", audit.audit),
    path("completion", completion.completion),
    path("api/v1/", api.urls),
    path("servers", servers.servers),
    path("coverage", servers.coverage),
    path("exports", exports.exports_page),
    path("exports/<int:pk>", exports.export_page),
    path("exports/<int:pk>/delete", exports.delete_export),
    path("exports/<int:pk>/progress", exports.export_progress),
    path("exports/<int:pk>/file", exports.export_file),
    path("organisations", organisations.organisations),
    path("organisations/<int:pk>", organisations.organisation),
    path("organisations/<int:pk>/edit", organisations.edit),
    path("organisations/<int:pk>/licences", organisations.licence),
    path("organisations/<int:pk>/licences/<act:act>", organisations.change_licence),
    path("unclaimed", unclaimed.unclaimed_page),
    path("unclaimed/claim", unclaimed.claim_page),
    path("claims/<int:pk>/remove", unclaimed.remove_claim),
    path("deliveries", deliveries.deliveries),
    path("deliveries/<int:pk>", deliveries.receiver),
    path("licence", licence.licence),
    path("platforms/<int:pk>", platforms.platform),
    path("platforms/<int:pk>/moodle/give", platforms.give),
    path("platforms/<int:pk>/moodle/test", platforms.test),
    path("platforms/<int:pk>/moodle/forget", platforms.forget),
    path("account", account.account),
    path("account/password", account.password),
    path("account/sessions/<int:pk>/end", account.end_session),
    path("account/sessions/end", account.end_others),
    path("login", sign_in.login_page),
    path("login/link/<str:token>", sign_in.use_link),
    path("logout", sign_in.logout_page),
    path("language", languages.choose),
    path("lti/login", launching.begin),
    path("lti/launch", launching.arrive),
    path("lti/keys", launching.key_set),
    path("lti/choose", choosing.choose),
    path("lti/register/<str:token>", registering.register),
    path("lti/configuration", configuration.configuration),
    path("zone", visits.zone),
    path("in/window", visits.window),
    path("in/stopped", visits.stopped),
]

handler400 = "rollcall.web.error_pages.bad_request"
handler403 = "rollcall.web.error_pages.forbidden"
handler404 = "rollcall.web.error_pages.not_found"
handler500 = "rollcall.web.error_pages.server_error"

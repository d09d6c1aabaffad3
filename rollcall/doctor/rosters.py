"""Whether the rosters of courses can be read from each LMS."""

from __future__ import annotations

from rollcall.core.errors import RollcallError
from rollcall.doctor.findings import Finding, fault, minutes_ago, warning
from rollcall.lti import refreshing
from rollcall.lti.trouble import told
from rollcall.store.platforms import Context, Platform

LATE_MS = 3 * refreshing.DAY_MS


def check() -> list[Finding]:
    """One finding for each LMS of whose courses rosters are read, and one for each of these in trouble."""
    platforms = Platform.objects.filter(removed_at=None).order_by("name", "pk")
    return [finding for platform in platforms for finding in _of(platform)]


def _of(platform: Platform) -> list[Finding]:
    about = f"Rosters of {platform.name or platform.site}"
    contexts = Context.objects.filter(platform=platform).exclude(memberships_url="").order_by("pk")
    wanted = contexts.exclude(roster_due_at=None)
    if platform.token_trouble:
        sentence, hint = told(platform.token_trouble)
        return [fault(about, RollcallError(f"No access token: {sentence}", hint=hint))]
    troubled = [_trouble(about, context) for context in wanted.exclude(roster_trouble="")]
    if troubled:
        return troubled
    now = refreshing.now_ms()
    if late := wanted.filter(roster_due_at__lt=now - LATE_MS).count():
        hint = "See that a worker runs (rollcall serve, or rollcall worker)."
        return [warning(about, f"Courses whose roster was due days ago: {late}.", hint)]
    read = contexts.exclude(roster_at=None).order_by("-roster_at").values_list("roster_at", flat=True).first()
    if read is None:
        return [Finding(about, "No roster has been read yet; one is when somebody comes from a course.")]
    return [Finding(about, f"Courses: {contexts.count()}. The last roster was read {minutes_ago(now - read)}.")]


def _trouble(about: str, context: Context) -> Finding:
    sentence, hint = told(context.roster_trouble)
    return warning(f"{about}, course {context.label or context.context_id}", sentence, hint)

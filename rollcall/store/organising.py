"""Organisations and their licences as an operator changes them; the same for the command line and the pages.

Everything may be said twice: what stands already is left as it is. Times are epoch ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.store.organisations import GRACE_MS, Licence, Organisation

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.db.models import QuerySet

LONGEST_NAME: Final = 200
LONGEST_CONTACT: Final = 500
DAY_MS: Final = 86_400_000
LONGEST_GRACE_DAYS: Final = 3_650
LARGEST_LIMIT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence says; limits of None are none, `ends_at` None is until it is ended."""

    starts_at: int
    ends_at: int | None = None
    grace_ms: int = GRACE_MS
    platforms: int | None = None
    pools: int | None = None
    people_a_month: int | None = None

    def checked(self) -> Terms:
        """Itself, if that can be meant; else Refused."""
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise Refused(
                _("This licence would end before it begins."),
                code="bad-licence",
                hint=_("Its last day, or its last instant, must lie after its first."),
            )
        limits = (self.platforms, self.pools, self.people_a_month)
        if any(one is not None and not 0 <= one <= LARGEST_LIMIT for one in limits):
            raise Refused(_("A limit is a whole number of zero or more; none is no limit."), code="bad-licence")
        if not 0 <= self.grace_ms <= LONGEST_GRACE_DAYS * DAY_MS:
            raise Refused(
                _("The days of grace are a whole number from 0 to %(most)d.") % {"most": LONGEST_GRACE_DAYS},
                code="bad-licence",
            )
        return self


# --- organisations ----------------------------------------------------------------------------------------------------


def add_organisation(name: str, contact: str, *, now: int) -> tuple[Organisation, bool]:
    """The organisation of this name, and whether it is new."""
    name, contact = _name(name), _contact(contact)
    found = Organisation.objects.filter(name=name).first()
    if found is None:
        try:
            with transaction.atomic():
                return Organisation.objects.create(name=name, contact=contact, added_at=now), True
        except IntegrityError:
            found = Organisation.objects.get(name=name)
    if contact not in {"", found.contact}:
        raise Refused(
            _("There is an organisation of this name already, with another contact."),
            code="name-taken",
            hint=_("Change its contact, or take another name."),
        )
    return found, False


def find_organisation(name: str) -> Organisation:
    """By its whole name; Refused names those there are."""
    if found := Organisation.objects.filter(name=name.strip()).first():
        return found
    known = ", ".join(repr(one) for one in Organisation.objects.order_by("name").values_list("name", flat=True)[:20])
    raise Refused(
        _("There is no organisation %(name)s.") % {"name": repr(name)},
        code="no-such-organisation",
        hint=_("There are: %(names)s.") % {"names": known} if known else _("There is none yet."),
    )


def edit_organisation(organisation: Organisation, *, name: str | None = None, contact: str | None = None) -> None:
    """Give it another name or contact; None leaves it."""
    if name is not None:
        organisation.name = _name(name)
    if contact is not None:
        organisation.contact = _contact(contact)
    try:
        with transaction.atomic():
            organisation.save(update_fields=("name", "contact"))
    except IntegrityError:
        raise Refused(_("There is an organisation of this name already."), code="name-taken") from None


def remove_organisation(organisation: Organisation) -> None:
    """Only one that owns nothing: what it owns would be nobody's without anybody having said so."""
    if organisation.platforms.exists() or organisation.claims.exists() or organisation.accounts.exists():
        raise _owns_something(organisation)
    try:
        with transaction.atomic():
            organisation.licences.all().delete()
            organisation.delete()
    except ProtectedError:  # it came in between
        raise _owns_something(organisation) from None


def _owns_something(organisation: Organisation) -> Refused:
    return Refused(
        _("%(name)s has platforms, claims or accounts.") % {"name": organisation.name},
        code="not-empty",
        hint=_("Remove them, or give them to another organisation, first."),
    )


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused(
            _("The name of an organisation has 1 to %(most)d characters that can be seen.") % {"most": LONGEST_NAME},
            code="bad-name",
        )
    return name


def _contact(text: str) -> str:
    contact = " ".join(text.split())
    if len(contact) > LONGEST_CONTACT or not contact.isprintable():
        raise Refused(
            _("A contact has at most %(most)d characters that can be seen.") % {"most": LONGEST_CONTACT},
            code="bad-contact",
            hint=_("Write an e-mail address, a web address or a sentence."),
        )
    return contact


# --- licences ---------------------------------------------------------------------------------------------------------


def add_licence(organisation: Organisation, terms: Terms, *, now: int) -> tuple[Licence, bool]:
    """A licence of these terms, and whether it is new. Others stay: of several in force the widest counts."""
    terms = terms.checked()
    said = {
        "starts_at": terms.starts_at,
        "ends_at": terms.ends_at,
        "grace_ms": terms.grace_ms,
        "platforms": terms.platforms,
        "pools": terms.pools,
        "people_a_month": terms.people_a_month,
    }
    with transaction.atomic():
        # One after the other, so that a form that was sent twice makes one.
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        found = Licence.objects.filter(organisation=organisation, **said).first()
        if found is not None:
            return found, False
        return Licence.objects.create(organisation=organisation, added_at=now, **said), True


def suspend(organisation: Organisation, *, now: int) -> int:
    """From now on nothing is in force; return how many licences that changed."""
    return _not_over(organisation, now).filter(suspended_at=None).update(suspended_at=now)


def resume(organisation: Organisation) -> int:
    """Let what was suspended count again; return how many licences that changed."""
    return Licence.objects.filter(organisation=organisation).exclude(suspended_at=None).update(suspended_at=None)


def end(organisation: Organisation, *, at: int) -> int:
    """End every licence at this instant, and drop those that would begin later; return how many that changed."""
    with transaction.atomic():
        dropped, _of = _not_over(organisation, at).filter(starts_at__gte=at).delete()
        return dropped + _not_over(organisation, at).update(ends_at=at)


def _not_over(organisation: Organisation, at: int) -> QuerySet[Licence]:
    return Licence.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), organisation=organisation)


# --- what was written of a time ---------------------------------------------------------------------------------------


def instant_of(text: str, zone: tzinfo, *, is_last: bool = False) -> int:
    """Epoch ms of a day (2026-12-31) or an instant (2026-12-31T12:00, with or without a zone such as +02:00 or Z).

    A day that is the last one counts whole: its end is the next midnight.
    """
    written = text.strip()
    try:
        if len(written) == len("2026-12-31"):
            found = datetime.combine(date.fromisoformat(written) + timedelta(days=is_last), datetime.min.time(), zone)
        else:
            found = datetime.fromisoformat(written)
            found = found if found.tzinfo else found.replace(tzinfo=zone)
        return int(found.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Refused(
            _("%(text)s is no day and no time.") % {"text": repr(text)},
            code="bad-time",
            hint=_("Write a day as 2026-12-31, or an instant as 2026-12-31T12:00 or 2026-12-31T12:00+02:00."),
        ) from None

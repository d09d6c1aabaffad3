"""Django looks for an app's tables here; they live in the modules named after what they hold."""

from rollcall.store.accounts import Account, StaffSession, Token
from rollcall.store.audit import AuditEntry
from rollcall.store.connections import CaptureSwitch, Hook, Pool, Secret, Server
from rollcall.store.derived import Attendance, Course, Orphan, Person, Recount, Seen, Summary
from rollcall.store.exports import Export, ExportPart
from rollcall.store.facts import Fact, Meeting, SetAside
from rollcall.store.imported import ImportedFile
from rollcall.store.organisations import Claim, Licence, Organisation, Rehoming
from rollcall.store.outbox import Attempt, Delivery, Target
from rollcall.store.platforms import (
    Context,
    Deployment,
    Invitation,
    LineItem,
    Member,
    PendingLaunch,
    Platform,
    ResourceLink,
    Teacher,
    ToolKey,
    Visit,
)

__all__ = [
    "Account",
    "Attempt",
    "Attendance",
    "AuditEntry",
    "CaptureSwitch",
    "Claim",
    "Context",
    "Course",
    "Delivery",
    "Deployment",
    "Export",
    "ExportPart",
    "Fact",
    "Hook",
    "ImportedFile",
    "Invitation",
    "Licence",
    "LineItem",
    "Meeting",
    "Member",
    "Organisation",
    "Orphan",
    "PendingLaunch",
    "Person",
    "Platform",
    "Pool",
    "Recount",
    "Rehoming",
    "ResourceLink",
    "Secret",
    "Seen",
    "Server",
    "SetAside",
    "StaffSession",
    "Summary",
    "Target",
    "Teacher",
    "Token",
    "ToolKey",
    "Visit",
]

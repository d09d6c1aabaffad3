"""Django looks for an app's tables here; they live in the modules named after what they hold."""

from rollcall.store.accounts import Account, StaffSession, Token
from rollcall.store.audit import AuditEntry
from rollcall.store.completions import Completion, Evidence
from rollcall.store.connections import CaptureSwitch, Hook, Pool, Secret, Server
from rollcall.store.decisions import Activity, Decision
from rollcall.store.derived import Attendance, Course, Orphan, Person, Recount, Seen, Summary
from rollcall.store.exports import Export, ExportPart
from rollcall.store.facts import Fact, Meeting, SetAside
from rollcall.store.imported import ImportedFile
from rollcall.store.organisations import Claim, Licence, Organisation, Rehoming
from rollcall.store.outbox import Attempt, Delivery, Target
from rollcall.store.owed import CompletionTarget, MoodleService, Owed, Receiver, Reversal, Try
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
    "Activity",
    "Attempt",
    "Attendance",
    "AuditEntry",
    "CaptureSwitch",
    "Claim",
    "Completion",
    "CompletionTarget",
    "Context",
    "Course",
    "Decision",
    "Delivery",
    "Deployment",
    "Evidence",
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
    "MoodleService",
    "Organisation",
    "Orphan",
    "Owed",
    "PendingLaunch",
    "Person",
    "Platform",
    "Pool",
    "Receiver",
    "Recount",
    "Rehoming",
    "ResourceLink",
    "Reversal",
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
    "Try",
    "Visit",
]

"""Django looks for an app's tables here; they live in the modules named after what they hold."""

from rollcall.store.connections import CaptureSwitch, Hook, Pool, Secret, Server
from rollcall.store.derived import Attendance, Course, Orphan, Person, Recount, Seen, Summary
from rollcall.store.exports import Export, ExportPart
from rollcall.store.facts import Fact, Meeting, SetAside
from rollcall.store.imported import ImportedFile
from rollcall.store.outbox import Attempt, Delivery, Target

__all__ = [
    "Attempt",
    "Attendance",
    "CaptureSwitch",
    "Course",
    "Delivery",
    "Export",
    "ExportPart",
    "Fact",
    "Hook",
    "ImportedFile",
    "Meeting",
    "Orphan",
    "Person",
    "Pool",
    "Recount",
    "Secret",
    "Seen",
    "Server",
    "SetAside",
    "Summary",
    "Target",
]

"""The LMSs of an organisation, and how each is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from rollcall.core.access import Reader

_TIME: Final = {"type": ["integer", "null"], "description": "Epoch ms; null for never."}
_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "id": {"type": "integer", "description": "Its number here."},
    "name": {"type": "string", "description": "What it is called."},
    "issuer": {"type": "string", "description": "By which it names itself."},
    "client_id": {"type": "string", "description": "By which it knows Rollcall."},
    "site": {"type": "string", "description": "The address its meetings name."},
    "product": {"type": "string", "description": "What it is, as it told; blank if it did not."},
    "product_version": {"type": "string", "description": "Of which version."},
    "added_at": {"type": "integer", "description": "When it was registered, epoch ms."},
    "launched_at": _TIME,
    "token_at": _TIME,
    "keys_trouble": {"type": "string", "description": "What is wrong with its keys; blank for nothing."},
    "token_trouble": {"type": "string", "description": "What is wrong with its access tokens; blank for nothing."},
}
PLATFORMS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "platforms": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": _FIELDS,
                "required": list(_FIELDS),
                "additionalProperties": False,
            },
        }
    },
    "required": ["platforms"],
    "additionalProperties": False,
}


def platforms_of(reader: Reader) -> list[dict[str, Any]]:
    """Those of the reader's organisation, or of all, by name; none that was removed."""
    found = Platform.objects.filter(removed_at__isnull=True).order_by("name", "pk")
    if reader.organisation is not None:
        found = found.filter(organisation=reader.organisation)
    return list(found.values(*_FIELDS))

"""The words of LTI 1.3: messages, claims and scopes, as 1EdTech's specifications spell them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

VERSION: Final = "1.3.0"

_SPEC: Final = "https://purl.imsglobal.org/spec/"
_LTI: Final = f"{_SPEC}lti/claim/"
_DL: Final = f"{_SPEC}lti-dl/claim/"


class Message(StrEnum):
    """For what somebody comes."""

    RESOURCE = "LtiResourceLinkRequest"
    DEEP_LINK = "LtiDeepLinkingRequest"
    REVIEW = "LtiSubmissionReviewRequest"


DEEP_LINK_RESPONSE: Final = "LtiDeepLinkingResponse"
RESOURCE_LINK_ITEM: Final = "ltiResourceLink"

MESSAGE_TYPE: Final = f"{_LTI}message_type"
VERSION_CLAIM: Final = f"{_LTI}version"
DEPLOYMENT_ID: Final = f"{_LTI}deployment_id"
TARGET_LINK_URI: Final = f"{_LTI}target_link_uri"
ROLES: Final = f"{_LTI}roles"
CONTEXT: Final = f"{_LTI}context"
RESOURCE_LINK: Final = f"{_LTI}resource_link"
PRESENTATION: Final = f"{_LTI}launch_presentation"
TOOL_PLATFORM: Final = f"{_LTI}tool_platform"
CUSTOM: Final = f"{_LTI}custom"
FOR_USER: Final = f"{_LTI}for_user"
ENDPOINT: Final = f"{_SPEC}lti-ags/claim/endpoint"
NAMES_AND_ROLES: Final = f"{_SPEC}lti-nrps/claim/namesroleservice"

DEEP_LINKING_SETTINGS: Final = f"{_DL}deep_linking_settings"
CONTENT_ITEMS: Final = f"{_DL}content_items"
DATA: Final = f"{_DL}data"

PLATFORM_CONFIGURATION: Final = f"{_SPEC}lti-platform-configuration"
TOOL_CONFIGURATION: Final = f"{_SPEC}lti-tool-configuration"

LINE_ITEM: Final = f"{_SPEC}lti-ags/scope/lineitem"
LINE_ITEM_READ: Final = f"{_SPEC}lti-ags/scope/lineitem.readonly"
RESULT_READ: Final = f"{_SPEC}lti-ags/scope/result.readonly"
SCORE: Final = f"{_SPEC}lti-ags/scope/score"
MEMBERS: Final = f"{_SPEC}lti-nrps/scope/contextmembership.readonly"

SCOPES: Final = (MEMBERS, LINE_ITEM, LINE_ITEM_READ, RESULT_READ, SCORE)
"""What is asked for at registration, and no more."""

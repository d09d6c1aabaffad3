"""What can be wrong between Rollcall and a BigBlueButton server: one named error each, a sentence and what to do.

No sentence repeats an address with its query: a signed call could be sent again by whoever reads the log.

RollcallError
├── Unavailable
│   ├── ConnectionRefused · ConnectionBroken · TimedOut · ServerFailed · HooksDown · AnswerUnreadable
├── Misconfigured
│   ├── NameUnknown · TlsFailed · Redirected · WrongPath · NotBigBlueButton · WrongSecret · NoHooksApi · AnswerTooBig
└── Refused
    └── CallRefused     FAILED for a reason of the server's own; `key` is its messageKey
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import httpx

from rollcall.core.errors import Misconfigured, Refused, RollcallError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK_BBB_CONF = "Compare it with what `bbb-conf --secret` prints on the BigBlueButton server."


class ConnectionRefused(Unavailable):
    """Nothing listens there."""

    code = "connection-refused"


class ConnectionBroken(Unavailable):
    """The way there ends somewhere, or the server hung up."""

    code = "connection-broken"


class TimedOut(Unavailable):
    """No whole answer in time."""

    code = "timed-out"


class ServerFailed(Unavailable):
    """HTTP 5xx."""

    code = "server-failed"


class HooksDown(Unavailable):
    """The web server in front knows bbb-webhooks, but it does not answer."""

    code = "hooks-down"


class AnswerUnreadable(Unavailable):
    """Neither XML nor a web page."""

    code = "answer-unreadable"


class NameUnknown(Misconfigured):
    """DNS does not know the host."""

    code = "name-unknown"


class TlsFailed(Misconfigured):
    """The certificate is not accepted, or there is no TLS at all."""

    code = "tls-failed"


class Redirected(Misconfigured):
    """3xx. Not followed: a checksum is for one address, and a POST would lose its body."""

    code = "redirected"


class WrongPath(Misconfigured):
    """HTTP 404 where the API should be."""

    code = "wrong-path"


class NotBigBlueButton(Misconfigured):
    """Something answers, but not the API of BigBlueButton."""

    code = "not-bigbluebutton"


class WrongSecret(Misconfigured):
    """checksumError with every secret and every digest."""

    code = "wrong-secret"


class NoHooksApi(Misconfigured):
    """The API is there, that of bbb-webhooks is not."""

    code = "no-hooks-api"


class AnswerTooBig(Misconfigured):
    """More than any class could need."""

    code = "answer-too-big"


class CallRefused(Refused):
    """returncode FAILED; `key` tells programs why, in the server's own word."""

    code = "call-refused"

    def __init__(self, message: str, *, key: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.key = key


def from_transport(error: httpx.HTTPError | TimeoutError, url: httpx.URL) -> RollcallError:
    """The named error behind what the HTTP library raised."""
    where = f"{url.host}:{url.port}" if url.port else url.host
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return TimedOut(
            f"{where} did not answer in time.", hint="Is the server up, and is its firewall open for this machine?"
        )
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                return NameUnknown(f"The name {url.host} is not known.", hint="Check the spelling of the address.")
            case ssl.SSLCertVerificationError():
                return _bad_certificate(cause, where)
            case ssl.SSLError():
                return TlsFailed(
                    f"{where} does not answer with TLS as expected ({cause.reason or 'handshake failed'}).",
                    hint="Does the server speak https on this port, or is its address one with http://?",
                )
            case ConnectionRefusedError():
                return ConnectionRefused(
                    f"{where} refuses the connection.", hint="Is BigBlueButton running there, and is the port right?"
                )
    return ConnectionBroken(
        f"The connection to {where} broke off.", hint="Check the network between this machine and the server."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, also where several addresses were tried."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _causes(part)
        error = error.__cause__ or error.__context__


_CERTIFICATE_HINTS = {
    10: "Renew the certificate of the BigBlueButton server (certbot renew).",
    18: "Add the certificate to this machine's trusted ones, or give the server one from a public authority.",
    19: "Add its authority to this machine's trusted ones (update-ca-certificates).",
    20: "Let the server send its whole chain (fullchain.pem), or add its authority to this machine's trusted ones.",
    62: "Use the name the certificate was made for.",
}


def _bad_certificate(cause: ssl.SSLCertVerificationError, where: str) -> TlsFailed:
    reason = cause.verify_message.rstrip(".")
    hint = _CERTIFICATE_HINTS.get(cause.verify_code, "Check the server's certificate, and the clock of this machine.")
    return TlsFailed(f"The certificate of {where} is not accepted: {reason}.", hint=hint)


def from_status(status: int, location: str | None, url: httpx.URL, *, is_hooks: bool) -> RollcallError:
    """The named error behind a status other than 200."""
    if 300 <= status < 400:
        return _redirected(location, url)
    if status == 404:
        return no_hooks_api(url.host) if is_hooks else _wrong_path(url)
    if is_hooks and status in {502, 503, 504}:
        return HooksDown(
            f"bbb-webhooks on {url.host} does not answer (HTTP {status}).",
            hint="On the server: systemctl status bbb-webhooks; systemctl restart bbb-webhooks.",
        )
    if status >= 500:
        return ServerFailed(
            f"{url.host} failed to answer {_call(url)} (HTTP {status}).",
            hint="Look into the server's logs (bbb-conf --check, /var/log/bigbluebutton).",
        )
    return NotBigBlueButton(
        f"{url.host} answered {_call(url)} with HTTP {status}, as BigBlueButton never does.",
        hint="Is there a proxy or a login in front that keeps this machine out?",
    )


def _redirected(location: str | None, url: httpx.URL) -> Redirected:
    try:
        target = url.join(location or "").copy_with(query=None, fragment=None, userinfo=b"")
        to = f" to {target.scheme}://{target.netloc.decode()}{target.path}"
    except (httpx.InvalidURL, ValueError):
        to = " elsewhere"
    return Redirected(
        f"{url.scheme}://{url.netloc.decode()} redirects{to}.",
        hint="Give the address it redirects to (often: https://).",
    )


def _wrong_path(url: httpx.URL) -> WrongPath:
    return WrongPath(
        f"{url.host} has nothing at {url.path} (HTTP 404).",
        hint=f"The address is wrong, or this is not the BigBlueButton server. {ASK_BBB_CONF}",
    )


def no_hooks_api(host: str) -> NoHooksApi:
    """For everything a server without bbb-webhooks may answer where its API should be."""
    return NoHooksApi(
        f"{host} has no hooks API: bbb-webhooks is not installed there, or this is a balancer, which has none.",
        hint="Install bbb-webhooks on the server, or add the nodes behind the balancer; "
        "with --no-hooks Rollcall relies on its polls alone, and proves much less.",
    )


def wrong_secret(host: str, *, is_hooks: bool) -> WrongSecret:
    """The checksum was refused whatever it was made with."""
    if is_hooks:
        return WrongSecret(
            f"bbb-webhooks on {host} does not accept the shared secret.",
            hint="It keeps the secret in a configuration of its own: set it there too, then restart bbb-webhooks.",
        )
    return WrongSecret(f"{host} does not accept the shared secret.", hint=ASK_BBB_CONF)


def not_bigbluebutton(url: httpx.URL) -> NotBigBlueButton:
    """A web page, or XML of something else."""
    return NotBigBlueButton(
        f"What answers at {url.host}{url.path} is not BigBlueButton.",
        hint=f"Check the address. {ASK_BBB_CONF}",
    )


def _call(url: httpx.URL) -> str:
    return url.path.partition("/api/")[2] or url.path

"""A record without its header Authorization: which web server seems to have dropped it, and how to let it through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SENDER: Final = b"BigBlueButton Analytics Callback"

APACHE: Final = (
    "Apache: for what it runs by CGI, FastCGI, mod_proxy_fcgi or WSGI, `CGIPassAuth On` in the <Directory> or "
    '<Location>, or `SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1`; where only .htaccess can be written: '
    "`RewriteEngine On` and `RewriteRule ^ - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]`. ProxyPass passes the "
    "header on, unless `RequestHeader unset Authorization` stands there or a login of Apache's own (AuthType) covers "
    "/callbacks/."
)
NGINX: Final = (
    'nginx: proxy_pass passes the header on, unless `proxy_set_header Authorization "";` or auth_basic stands there: '
    "set `proxy_set_header Authorization $http_authorization;` in the location. For FastCGI: "
    "`fastcgi_param HTTP_AUTHORIZATION $http_authorization;`."
)
OTHERS: Final = (
    "Firewalls, gateways and single sign-on: some remove Authorization or keep it for themselves; let /callbacks/ pass "
    "without a login and with all its headers. A redirect to another host, or from http to https, loses the header, "
    "too: give BigBlueButton the final https:// address."
)


@dataclass(frozen=True, slots=True)
class WebServer:
    """What stands in between, and by which header that is known; both blank where nothing shows it."""

    name: str = ""
    sign: str = ""
    mend: str = OTHERS


# The surest signs first. A product writes its own header; Via and Server name several.
_OWN_HEADERS: Final = (
    (b"cf-ray", "Cloudflare"),
    (b"x-amzn-trace-id", "an AWS load balancer"),
    (b"x-azure-ref", "Azure Front Door"),
    (b"x-arr-log-id", "IIS (Application Request Routing)"),
    (b"x-cloud-trace-context", "a Google load balancer"),
    (b"x-envoy-expected-rq-timeout-ms", "Envoy"),
    (b"x-varnish", "Varnish"),
    (b"x-sucuri-clientip", "Sucuri"),
    (b"fastly-client-ip", "Fastly"),
)
_NAMED: Final = (
    (b"apache", "Apache", APACHE),
    (b"nginx", "nginx", NGINX),
    (b"openresty", "nginx (OpenResty)", NGINX),
    (b"caddy", "Caddy", OTHERS),
    (b"squid", "Squid", OTHERS),
    (b"varnish", "Varnish", OTHERS),
    (b"haproxy", "HAProxy", OTHERS),
    (b"google", "a Google load balancer", OTHERS),
    (b"cloudfront", "CloudFront", OTHERS),
    (b"traefik", "Traefik", OTHERS),
)


def web_server_of(headers: Iterable[tuple[bytes, bytes]]) -> WebServer:
    """By which web server a request seems to have come."""
    found = dict(headers)
    for header, name in _OWN_HEADERS:
        if header in found:
            return WebServer(name, header.decode())
    for header in (b"via", b"server", b"x-forwarded-by"):
        for word, name, mend in _NAMED:
            if word in found.get(header, b"").lower():
                return WebServer(name, header.title().decode(), mend)
    return _by_forwarding(found)


def _by_forwarding(found: Mapping[bytes, bytes]) -> WebServer:
    """Proxies differ in which X-Forwarded headers they write."""
    if b"x-forwarded-server" in found:
        if b"x-forwarded-port" in found or b"x-real-ip" in found:
            return WebServer("Traefik", "X-Forwarded-Server")
        return WebServer("Apache (mod_proxy)", "X-Forwarded-Server", APACHE)
    if b"x-real-ip" in found:
        return WebServer("nginx", "X-Real-IP", NGINX)
    return WebServer()


def explain_missing(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, str]:
    """A sentence and how to mend it."""
    headers = list(headers)
    found = dict(headers)
    server = web_server_of(headers)
    sentence = "The header Authorization did not arrive, so nobody can tell who sent this."
    if server.name:
        sentence += f" By its header {server.sign} it came through {server.name}, which is likely to have dropped it."
    elif b"x-forwarded-for" in found or b"forwarded" in found:
        sentence += " It came through a proxy that does not say what it is: nginx, Apache or a firewall."
    else:
        sentence += " Nothing shows a web server in between: either it leaves no trace, or the sender sent none."
    if found.get(b"user-agent") == SENDER:
        sentence += " BigBlueButton's own script always sends it."
    return sentence, " ".join(dict.fromkeys((server.mend, APACHE, NGINX, OTHERS)))

"""Django's settings, made from rollcall.environment."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rollcall import environment, languages
from rollcall.core.errors import Misconfigured

DATA = Path(environment.DATA.read()).expanduser().absolute()


def _secret_key() -> str:
    """The operator's key, or one made on the first start and readable by its owner alone."""
    if given := environment.SECRET_KEY.read():
        return given
    path = DATA / "secret-key"
    if not path.exists():
        _make_secret_key(path)
    if key := path.read_text(encoding="ascii").strip():
        return key
    raise Misconfigured(f"{path} is empty.", hint="Restore it, or delete it: a new one is made, and secrets are lost.")


def _make_secret_key(path: Path) -> None:
    """Whole or not at all, and by one of several processes that start together; the others take what it made."""
    DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"secret-key-{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        draft.rename(path)
    draft.unlink(missing_ok=True)


def _database() -> dict[str, Any]:
    """Django's DATABASES entry. What makes a commit durable is the server's part: store.durability looks at it."""
    url = environment.DATABASE_URL.read()
    if not url:
        return _sqlite()
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError as error:
        raise Misconfigured(
            f"ROLLCALL_DATABASE_URL cannot be read: {error}.",
            hint="Write characters such as @ : / # [ ] in the name or password as %40 %3A %2F %23 %5B %5D.",
        ) from None
    where = {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": port,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
    if not where["NAME"]:
        raise Misconfigured("ROLLCALL_DATABASE_URL names no database.", hint="It ends in /name.")
    options = {name: int(value) if value.isdecimal() else value for name, value in parse_qsl(parts.query)}
    match parts.scheme:
        case "postgresql" | "postgres":
            return where | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": _postgresql_options() | options}
        case "mysql" | "mariadb":
            return where | {"ENGINE": "django.db.backends.mysql", "OPTIONS": _mariadb_options() | options}
    raise Misconfigured(
        f"ROLLCALL_DATABASE_URL starts with {parts.scheme}://", hint="It may start with postgresql:// or mysql://."
    )


def _sqlite() -> dict[str, Any]:
    DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "rollcall.sqlite3",
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            # A transaction that only later finds out that it writes would fail instead of waiting.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
            "PRAGMA journal_size_limit=67108864",
        },
    }


def _postgresql_options() -> dict[str, Any]:
    try:
        from psycopg import IsolationLevel
    except ImportError as error:
        raise _driver_missing("PostgreSQL", "psycopg", "postgresql") from error
    # After the lock on a meeting every statement must see what was committed before it.
    return {
        "isolation_level": IsolationLevel.READ_COMMITTED,
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,
        "application_name": "rollcall",
    }


def _mariadb_options() -> dict[str, Any]:
    try:
        import pymysql
    except ImportError as error:
        raise _driver_missing("MariaDB", "pymysql", "mariadb") from error
    pymysql.install_as_MySQLdb()
    return {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        # Without it what does not fit is cut off instead of refused.
        "sql_mode": "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
        "init_command": "SET default_storage_engine=InnoDB, innodb_lock_wait_timeout=3",
        "connect_timeout": 3,
        "read_timeout": 300,
        "write_timeout": 60,
    }


def _driver_missing(database: str, driver: str, extra: str) -> Misconfigured:
    return Misconfigured(
        f"ROLLCALL_DATABASE_URL asks for {database}, whose driver {driver} is not installed.",
        hint=f"Install it: pip install 'rollcall[{extra}]'",
    )


def _time_zone() -> str:
    name = environment.TIME_ZONE.read()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Misconfigured(f"ROLLCALL_TIME_ZONE is {name!r}", hint="Write a zone as Europe/Athens or UTC.") from error
    return name


def _language() -> str:
    code = environment.LANGUAGE.read()
    if code not in (known := languages.codes()):
        raise Misconfigured(f"ROLLCALL_LANGUAGE is {code!r}", hint=f"It may be one of: {', '.join(known)}.")
    return code


def _cache() -> dict[str, Any]:
    url = environment.CACHE_URL.read()
    if not url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url, "KEY_PREFIX": "rollcall"}


_url = urlsplit(environment.URL.read())

SECRET_KEY = _secret_key()
DEBUG = False
# The host is checked by whatever stands in front; Rollcall builds addresses from ROLLCALL_URL, never from the request.
ALLOWED_HOSTS = [_url.hostname, "127.0.0.1", "localhost", "[::1]"] if _url.hostname else ["*"]
DATABASES = {"default": _database()}
CACHES = {"default": _cache()}
SESSION_ENGINE = "django.contrib.sessions.backends." + ("cache" if environment.CACHE_URL.read() else "db")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rollcall.store",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "rollcall.web.files.StaticFiles",
    "rollcall.web.headers.SecurityHeaders",
    "rollcall.web.visits.Visits",
    "rollcall.web.zones.ReaderZone",
    "rollcall.web.languages.ReaderLanguage",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "rollcall.web.staff_sessions.StaffSessions",
    "rollcall.web.readers.Readers",
    "rollcall.web.auditing.Audited",
    "rollcall.web.error_pages.LoginRequired",
    "rollcall.web.error_pages.Errors",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "rollcall.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "web" / "templates"],
        "OPTIONS": {
            "builtins": ["rollcall.web.showing"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "rollcall.web.frame.frame",
            ],
        },
    }
]
ASGI_APPLICATION = "rollcall.asgi.application"
STATIC_URL = "/static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LANGUAGE_CODE = _language()
# The menu asks each language for its own name.
LANGUAGES = [(code, code) for code in languages.codes()]
LANGUAGES_BIDI = list(languages.RIGHT_TO_LEFT)
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [languages.compiled(DATA / "locale")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = _time_zone()
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _url.scheme == "https"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = environment.SESSION_HOURS.read_whole_number() * 3600
SESSION_IDLE_SECONDS = environment.SESSION_IDLE_MINUTES.read_whole_number() * 60
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "rollcall.web.error_pages.csrf_failure"
LOGGING_CONFIG = None

"""Django's settings, made from rollcall.environment."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


from rollcall import environment
from rollcall.core.errors import Misconfigured

DATA = Path(environment.DATA.read()).expanduser().absolute()


def _secret_key() -> str:
    """The operator's key, or one made on the first start and readable by its owner alone."""
    if given := environment.SECRET_KEY.read():
        return given
    path = DATA / "secret-key"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(made := secrets.token_urlsafe(48), encoding="ascii")
        return made


def _database() -> dict[str, Any]:
    """Django's DATABASES entry; the durability rules of each database are kept here and checked at start."""
    url = environment.DATABASE_URL.read()
    if not url:
        DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "rollcall.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY",
            },
        }
    parts = urlsplit(url)
    where = {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
    match parts.scheme:
        case "postgresql" | "postgres":
            return where | {"ENGINE": "django.db.backends.postgresql"}
        case "mysql" | "mariadb":
            import pymysql

            pymysql.install_as_MySQLdb()
            options = {"charset": "utf8mb4", "isolation_level": "read committed"}
            return where | {"ENGINE": "django.db.backends.mysql", "OPTIONS": options}
    raise Misconfigured(
        f"ROLLCALL_DATABASE_URL starts with {parts.scheme}://", hint="It may start with postgresql:// or mysql://."
    )


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
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rollcall.store",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "rollcall.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "web" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ASGI_APPLICATION = "rollcall.asgi.application"
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [Path(__file__).parent / "web" / "static"]
WHITENOISE_USE_FINDERS = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.TIME_ZONE.read()
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _url.scheme == "https"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
LOGGING_CONFIG = None

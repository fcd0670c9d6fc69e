"""The one settings file. What differs between installations comes from the environment, typed (see environment)."""

from pathlib import Path

import django_stubs_ext
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from zhike import home
from zhike.environment import (
    env_address,
    env_bucket,
    env_choice,
    env_flag,
    env_list,
    env_number,
    env_text,
    memory_share,
)

django_stubs_ext.monkeypatch()  # Lets ModelForm and others take a type in brackets at run time, as mypy wants.

PACKAGE = Path(__file__).parent
HOME = home.folder()
SECRET_KEY = home.secret_key()
DEBUG = env_flag("ZHIKE_DEBUG", default=False)
BASE_URL = env_text("ZHIKE_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = [host for host in env_text("ZHIKE_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",") if host]
SECURE = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "template_partials",
    "procrastinate.contrib.django",
    "zhike.ui",
    "zhike.org",
    "zhike.record.customers",
    "zhike.record.events",
    "zhike.record.tracking",
    "zhike.record.privacy",
    "zhike.record.interactions",
    "zhike.record.commerce",
    "zhike.record.imports",
    "zhike.measure",
    "zhike.decide.plans",
    "zhike.decide.segments",
    "zhike.act.engagement",
    "zhike.review.kpis",
    "zhike.web",
    "zhike.portal",
    "zhike.api",
    "zhike.demo",
    "zhike.bench",
]

MIDDLEWARE = [
    "zhike.org.middleware.response_rules",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "zhike.org.middleware.remember_answers",
    "zhike.org.middleware.sign_in_rules",
    "django.contrib.messages.middleware.MessageMiddleware",
    "zhike.org.middleware.language_of_staff",
    "zhike.org.middleware.doors",
]

ROOT_URLCONF = "zhike.urls"
ASGI_APPLICATION = "zhike.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "zhike.web.shell.shell"],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "template_partials.templatetags.partials",
                "zhike.ui.templatetags.parts",
                "zhike.ui.templatetags.quick",  # After those of Django that it stands in for.
            ],
        },
    }
]


POOL = env_number("ZHIKE_POOL", default=12, least=0, most=200)  # Connections a web process keeps; 0 keeps none.


def _database(address: str) -> dict[str, object]:
    """Return Django's description of the database at a libpq address."""
    parts = conninfo_to_dict(address)
    extra = {key: value for key, value in parts.items() if key not in {"dbname", "user", "password", "host", "port"}}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": parts.get("port", ""),
        "OPTIONS": {**extra, "pool": {"min_size": 1, "max_size": POOL} if POOL else False},
    }


DATABASES = {"default": _database(home.database_url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "org.Staff"
AUTHENTICATION_BACKENDS = ["zhike.org.backends.StaffBackend"]
SESSION_ENGINE = "zhike.org.sessions"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
SESSION_COOKIE_NAME = "__Host-zhike" if SECURE else "zhike"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_IDLE_SECONDS = env_number("ZHIKE_SESSION_IDLE_MINUTES", default=12 * 60, least=5, most=7 * 24 * 60) * 60
CSRF_COOKIE_NAME = "__Host-zhike-csrf" if SECURE else "zhike-csrf"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_TZ = True
TIME_ZONE = env_text("ZHIKE_TIME_ZONE", "Asia/Shanghai")

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
# Static names carry a digest of their content once `zhike init` has collected them; before, in tests, they are plain.
_HASHED = (STATIC_ROOT / "staticfiles.json").exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage."
        + ("ManifestStaticFilesStorage" if _HASHED else "StaticFilesStorage")
    },
}
MEDIA_ROOT = HOME / "files"
LAKE = HOME / "lake"  # The lake itself, or the cache of its bucket.
LAKE_BUCKET = env_bucket("ZHIKE_LAKE")
LAKE_ENDPOINT = env_text("ZHIKE_LAKE_ENDPOINT")
LAKE_REGION = env_text("ZHIKE_LAKE_REGION", "us-east-1")
LAKE_KEY = env_text("ZHIKE_LAKE_KEY")
LAKE_SECRET = env_text("ZHIKE_LAKE_SECRET")
LAKE_CACHE_BYTES = env_number("ZHIKE_LAKE_CACHE_MB", default=20_480, least=64, most=10_000_000) * 2**20
ENGINE_MEMORY_MB = env_number(
    "ZHIKE_ENGINE_MEMORY_MB", default=memory_share(8, least=1024, most=4096), least=128, most=1_000_000
)
ENGINE_THREADS = env_number("ZHIKE_ENGINE_THREADS", default=2, least=1, most=64)
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
UPLOAD_LIMIT = env_number("ZHIKE_UPLOAD_MB", default=1024, least=1, most=20_480) * 2**20
# What one source may send to one web process in a second, and have waiting in the inbox, before it is told 429.
TRACKING_RATE = env_number("ZHIKE_SOURCE_EVENTS_PER_SECOND", default=100_000, least=1, most=10_000_000)
TRACKING_WAITING = env_number("ZHIKE_SOURCE_EVENTS_WAITING", default=5_000_000, least=1_000, most=1_000_000_000)

# Who judges what customers say: our own models, or a language model that speaks OpenAI's chat format.
TEXT_JUDGE = env_choice("ZHIKE_TEXT_JUDGE", "local", "chat")
CHAT_URL = env_address("ZHIKE_CHAT_URL", needed=TEXT_JUDGE == "chat")
CHAT_MODEL = env_text("ZHIKE_CHAT_MODEL")
CHAT_KEY = env_text("ZHIKE_CHAT_KEY")
CHAT_SECONDS = env_number("ZHIKE_CHAT_SECONDS", default=60, least=1, most=600)
OUTBOUND_ALLOWED = env_list("ZHIKE_OUTBOUND_ALLOWED")

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_ON_APP_READY = "zhike.org.jobs.take_over"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_text("ZHIKE_LOG", "WARNING")},
    "loggers": {"zhike": {"level": env_text("ZHIKE_LOG", "INFO")}, "django.request": {"level": "ERROR"}},
}

"""Settings, all by environment. `docs/settings.md` documents each variable; `editor/checks.py` says what is wrong.

Those of people (`project/adjustable.py`) are defaults here: what the administration says goes before them.

Importing this module never fails: what is missing or wrong is collected in `SETTINGS_PROBLEMS`, and every process
that serves (web, worker, clock) refuses to start while there is one.
"""

import logging
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url

from project import adjustable
from project.environment import Environment, address_with_bucket

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ)
SETTINGS_PROBLEMS = env.problems

# What is on: the embedded start, debugging, addresses ---------------------------------------------------------

EMBEDDED = env.flag("EMBEDDED")
DEBUG = env.flag("DEBUG")
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
SECRET_KEY = env.required("SECRET_KEY", "a long random text, the same on every machine.")
BIND = env.text("BIND", "127.0.0.1:8000")
PUBLIC_URL = env.url(
    "PUBLIC_URL",
    env.required("PUBLIC_URL", "the address that people open, like https://retake.example.com").rstrip("/"),
    ["http", "https"],
    example="https://retake.example.com",
)
_public = urlsplit(PUBLIC_URL)
PUBLIC_IS_HTTPS = _public.scheme == "https"

_everywhere = {"", "0.0.0.0", "[::]", "*"}  # noqa: S104  addresses to listen at, none to be reached at
_bind_host, _, _bind_port = BIND.rpartition(":")
if _bind_host in _everywhere:
    _bind_host = "127.0.0.1"
ALLOWED_HOSTS = sorted({_public.hostname or "", _bind_host, "127.0.0.1", "localhost", "[::1]"} - {""})
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"] if _public.netloc else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Django ---------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "editor",  # first, so that its templates and commands go before those of the libraries
    "django.forms",  # for FORM_RENDERER, so that templates/ may hold our own widgets
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_rq",
    "storages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.static_files.static_files",
    "csp.middleware.CSPMiddleware",
    "editor.views.shared_door.sealed",  # around everything that may answer for a link
    "project.charsets.utf8_only",  # before everything that reads a body
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "editor.accounts.view_as.view_as",  # before everything that wants to know who is there
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "editor.accounts.second_factor.staff_second_factor",
]
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "editor.views.frame.frame",
            ],
        },
    }
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600
DEFAULT_EXCEPTION_REPORTER_FILTER = "project.error_pages.ErrorPages"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Database -------------------------------------------------------------------------------------------------------

_database_url = env.required("DATABASE_URL", "postgres://user:password@host:5432/name (SQLite: one machine only).")
DATABASES = {"default": dj_database_url.parse("sqlite://:memory:")}
if _database_url:
    try:
        DATABASES["default"] = dj_database_url.parse(_database_url)
    except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError):
        env.complain(
            "E004",
            "DATABASE_URL",
            "DATABASE_URL is not an address of a database.",
            "postgres://user:password@host/name",
        )
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file also in tests: threads and processes share it.
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}.test"}
    # IMMEDIATE takes the write lock at BEGIN, so that two writers wait instead of failing in the middle.
    # synchronous=FULL: an attempt is on the disk before its request leaves.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;",
    }
else:
    # A process that is stopped in the middle of a transaction holds its locks, admission's among them, for a minute.
    # Our queries are short: compiling them takes longer than they do.
    of_database = DATABASES["default"].setdefault("OPTIONS", {})
    of_database.setdefault("options", "-c idle_in_transaction_session_timeout=60s -c jit=off")
    if env.flag("DATABASE_POOL"):
        # Set by project/asgi.py: threads come and go with requests, connections should not. Workers fork, without any.
        of_database["pool"] = {"min_size": 1, "max_size": 12, "timeout": 20}

# Caches hold rate limits only. They live in the database: Redis may be wiped at any moment and nobody should notice.
# When it is full a third is thrown away: with Django's 300 entries a few strangers would clear everybody's limits.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Queue ----------------------------------------------------------------------------------------------------------

REDIS_URL = env.url(
    "REDIS_URL",
    env.required("REDIS_URL", "redis://:password@host:6379/0"),
    ["redis", "rediss", "unix"],
    example="redis://:password@host:6379/0",
)
RQ_JOB_TIMEOUT = 3600  # seconds; above all deadlines of our own, so that RQ never cuts a unit of work
RQ_QUEUES = {
    name: {
        "URL": REDIS_URL or "redis://127.0.0.1:1/0",
        "DEFAULT_TIMEOUT": RQ_JOB_TIMEOUT,
        "DEFAULT_RESULT_TTL": 0,
        "SERIALIZER": "rq.serializers.JSONSerializer",
        # RQ blocks on Redis for up to worker_ttl - 15 s; without bounds a dead Redis would hold a page for minutes.
        "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 2},
    }
    for name in ("edits", "pictures")
}
RQ = {
    "WORKER_CLASS": "editor.jobs.worker.Worker",
    "JOB_CLASS": "editor.jobs.worker.Ring",
    "DEFAULT_RESULT_TTL": 0,
    "FAILURE_TTL": 86_400,
}

# Pictures -------------------------------------------------------------------------------------------------------

S3_BUCKET = env.required("S3_BUCKET", "the name of a private bucket.")
S3_ENDPOINT_URL = env.url(
    "S3_ENDPOINT_URL", env.text("S3_ENDPOINT_URL"), ["http", "https"], example="https://s3.eu-central-1.amazonaws.com"
)
S3_REGION = env.text("S3_REGION", "us-east-1")
S3_ACCESS_KEY_ID = env.required("S3_ACCESS_KEY_ID", "the access key of the bucket.")
S3_SECRET_ACCESS_KEY = env.required("S3_SECRET_ACCESS_KEY", "the secret key of the bucket.")
S3_PUBLIC = env.flag("S3_PUBLIC")
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "region_name": S3_REGION,
            "access_key": S3_ACCESS_KEY_ID,
            "secret_key": S3_SECRET_ACCESS_KEY,
            "file_overwrite": True,  # keys follow from rows, so writing one again is harmless
            "default_acl": None,
            "querystring_auth": True,
            "signature_version": "s3v4",
            "addressing_style": "path" if S3_ENDPOINT_URL else "auto",
        },
    },
    "staticfiles": {"BACKEND": "project.static_files.HashedFiles"},
}
UPLOAD_MAX_BYTES = env.whole("UPLOAD_MAX_BYTES", 30_000_000, at_least=1_000, at_most=500_000_000)
UPLOAD_MAX_PIXELS = env.whole("UPLOAD_MAX_PIXELS", 50_000_000, at_least=10_000, at_most=200_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 200_000  # form fields; files are counted by UPLOAD_MAX_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_100  # 1,000 chosen pictures and what to do with them
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = [
    "editor.views.uploading.CappedUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
RAW_KEPT = env.flag("RAW_KEPT")  # keep what was uploaded, as it came, after it was taken in
WITHHOLD_TRUST = {word.strip() for word in env.text("WITHHOLD_TRUST", "restricted").split(",")} - {"", "nobody"}
if not {"restricted", "new", "normal", "trusted"} >= WITHHOLD_TRUST:
    env.complain(
        "E004", "WITHHOLD_TRUST", "WITHHOLD_TRUST names a trust that there is not.", "restricted, or new,restricted"
    )
CLASSIFIER = env.text("CLASSIFIER")
CLASSIFIER_LIMIT = env.number("CLASSIFIER_LIMIT", 0.8, at_least=0, at_most=1)

# The flux server --------------------------------------------------------------------------------------------------

FLUX_API_KEY = env.required("FLUX_API_KEY", "your key, or any word with a sandbox named in FLUX_BASE_URL.")
FLUX_BASE_URL = env.url(
    "FLUX_BASE_URL",
    env.text("FLUX_BASE_URL", "https://modelslab.com/api/v1/enterprise/").rstrip("/") + "/",
    ["http", "https"],
    example="https://modelslab.com/api/v1/enterprise/",
)
FLUX_UPLOAD_URL = env.url(
    "FLUX_UPLOAD_URL",
    env.text("FLUX_UPLOAD_URL"),
    ["http", "https"],
    example="https://modelslab.com/api/v6/base64_to_url",
)
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "::1"}
FLUX_IS_SANDBOX = (urlsplit(FLUX_BASE_URL).hostname or "") in LOOPBACK_NAMES
FLUX_QUEUE_LIMIT = env.whole("FLUX_QUEUE_LIMIT", 5, at_least=1, at_most=10_000)
FLUX_OUTSTANDING = env.whole("FLUX_OUTSTANDING", min(FLUX_QUEUE_LIMIT, 3), at_least=1, at_most=10_000)
FLUX_CONNECT_TIMEOUT = env.number("FLUX_CONNECT_TIMEOUT", 5, at_least=0.1, at_most=60)
FLUX_READ_TIMEOUT = env.number("FLUX_READ_TIMEOUT", 180, at_least=0.1, at_most=900)
_public_is_local = (_public.hostname or "") in LOOPBACK_NAMES
if not FLUX_IS_SANDBOX and _public_is_local and not S3_PUBLIC and not FLUX_UPLOAD_URL:
    env.complain(
        "E006",
        "FLUX_UPLOAD_URL",
        "The flux server can't reach this portal's pictures: PUBLIC_URL is this machine and the bucket is private.",
        "Set PUBLIC_URL to a public address, or S3_PUBLIC=1 if the bucket's endpoint is public, "
        "or FLUX_UPLOAD_URL=https://modelslab.com/api/v6/base64_to_url",
    )
# Where the flux server GETs sources and POSTs its webhook. A portal that only this machine can reach gets no webhook.
FLUX_SEES_US_AT = f"http://{_bind_host}:{_bind_port}" if FLUX_IS_SANDBOX else ("" if _public_is_local else PUBLIC_URL)

# The inbox: a bucket into which the flux server writes results itself, with a key that opens nothing else ----------

FLUX_INBOX = env.all_or_none(
    [f"FLUX_INBOX_{name}" for name in ("BUCKET", "PUBLIC_URL", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")], "the inbox"
)
FLUX_INBOX_BUCKET = env.text("FLUX_INBOX_BUCKET")
FLUX_INBOX_ACCESS_KEY_ID = env.text("FLUX_INBOX_ACCESS_KEY_ID")
FLUX_INBOX_SECRET_ACCESS_KEY = env.text("FLUX_INBOX_SECRET_ACCESS_KEY")
FLUX_INBOX_DIRECTORY = env.text("FLUX_INBOX_DIRECTORY", "results")
FLUX_INBOX_PUBLIC_URL = env.url(
    "FLUX_INBOX_PUBLIC_URL",
    env.text("FLUX_INBOX_PUBLIC_URL").rstrip("/"),
    ["http", "https"],
    example="https://retake-inbox.s3.eu-central-1.amazonaws.com",
)
FLUX_INBOX_ENDPOINT_URL = env.url(
    "FLUX_INBOX_ENDPOINT_URL",
    env.text("FLUX_INBOX_ENDPOINT_URL").rstrip("/")
    or (address_with_bucket(S3_ENDPOINT_URL, S3_REGION, FLUX_INBOX_BUCKET) if FLUX_INBOX else ""),
    ["http", "https"],
    example="https://retake-inbox.s3.eu-central-1.amazonaws.com",
)
if FLUX_INBOX:
    env.check_inbox(FLUX_INBOX_BUCKET, FLUX_INBOX_ENDPOINT_URL, FLUX_INBOX_DIRECTORY)

# Time constants of a job's life. Tests run them at a fraction. ---------------------------------------------------

TIME_SCALE = env.number("TIME_SCALE", 1.0, at_least=0.001, at_most=1.0)


def _time(**units: float) -> timedelta:
    return timedelta(**units) * TIME_SCALE


JOB_LEASE = _time(seconds=60)  # renewed by a heartbeat each third of it
JOB_CHECK_LEASE = _time(seconds=60)  # not renewed: a check that takes longer is made twice, which costs nothing
JOB_POLL_FIRST = _time(seconds=1)  # the shortest interval between two checks of one job
JOB_POLL_LAST = _time(seconds=15)
JOB_RETRY_FIRST = _time(seconds=2)  # backoff of what went wrong and costs nothing to try again
JOB_RETRY_LAST = _time(seconds=60)
JOB_PROCESSING_DEADLINE = _time(minutes=30)
JOB_UNCONFIRMED_DEADLINE = _time(hours=24)
JOB_DOWNLOAD = _time(seconds=60)  # the longest that one result may take to arrive
JOB_RESULT_PATIENCE = _time(minutes=5)  # with a result that is there but is no picture
JOB_COLLECT_ALARM = _time(hours=1)
JOB_COLLECT_DEADLINE = _time(hours=24)
FLUX_INBOX_KEPT = _time(days=2)  # what nobody took over; longer than any job waits for its results
FLUX_PAUSE_ACCOUNT = _time(minutes=5)  # until the key, the credit or the plan is asked about again
FLUX_PAUSE_BROKEN = _time(seconds=20)
FLUX_PAUSE_TOLD = _time(minutes=3)  # of our bucket or the file store, before administrators are told
FLUX_PAUSE_TOLD_OF_VENDOR = _time(minutes=15)
FLUX_ORDER_LOOK = _time(seconds=2)  # between two looks at what becomes of an order to the server
FLUX_ORDER_SETTLED = _time(seconds=15)  # it answers well for so long: it may go down only after it said yes
FLUX_ORDER_PATIENCE = _time(minutes=20)  # with a server that does not come back
FLUX_TRIAL_PATIENCE = _time(minutes=3)  # with the test edit of a registration
IMAGE_LEASE = _time(seconds=90)
IMAGE_TRIES = 3
CLOCK_TICK = _time(seconds=1)
CLOCK_MARK = _time(seconds=10)  # a clock that ticks says so in the database this often
RING_PATIENCE = _time(seconds=10)  # a ring that left the queue and was not answered for so long is rung again
TOLD_QUIET = _time(minutes=2)  # before people are mailed what others did, so that a burst is one mail
TOLD_EVERY = _time(hours=1)  # the shortest time between two such mails to one person about one subject
TOLD_RETRY = _time(minutes=5)  # while a worker may still be sending one, and after a mail server failed
TOLD_PATIENCE = _time(days=1)  # with a mail server; the notification stands in the portal all the same

# People -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "editor.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
FIRST_ADMIN_EMAIL = env.text("FIRST_ADMIN_EMAIL")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "studio"
ACCOUNT_ADAPTER = "editor.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True  # one address per person; a new one replaces it as soon as it is proven
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # a session that was left open can't give the account away
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "add_email": "editor.accounts.forms.AddEmailForm",
    "change_password": "editor.accounts.forms.ChangePasswordForm",
    "login": "editor.accounts.forms.LoginForm",
    "reauthenticate": "editor.accounts.forms.ReauthenticateForm",
    "reset_password": "editor.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "editor.accounts.forms.ResetPasswordKeyForm",
    "set_password": "editor.accounts.forms.SetPasswordForm",
    "signup": "editor.accounts.forms.SignupForm",
}
ACCOUNT_RATE_LIMITS = {
    # People outside, at a link that was shared with them: the key is the link's.
    "shared_password": "20/10m/ip,60/h/key",
    "shared_words": "20/10m/ip,200/h/key",
    # People who type a table: each pause asks what it comes to.
    "batch_preview": "60/m/user",
}
# Rate limits go by the visitor's address. X-Forwarded-For is believed only as far as our own proxies wrote it.
ALLAUTH_TRUSTED_PROXY_COUNT = env.whole("TRUSTED_PROXIES", 0, at_least=0, at_most=10)
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme or "http"
MFA_ADAPTER = "editor.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # codes, before and after: clocks of phones are not quite right
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR")
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# What people change in the administration: the defaults, until `editor.models.chosen` finds something else -----------

ADJUSTABLE = {each.name: each for each in adjustable.ALL}
ADJUSTABLE_GIVEN = {name for name in ADJUSTABLE if env.given(name)}
vars().update({name: each.read(env, name) for name, each in ADJUSTABLE.items()})
vars().update({"SIGNUP": vars()["SIGNUP"] or ("open" if FLUX_IS_SANDBOX else "invite")})

# Mail -------------------------------------------------------------------------------------------------------------

EMAIL_URL = env.url(
    "EMAIL_URL",
    env.text("EMAIL_URL"),
    ["smtp", "submission"],
    example="submission://user:password@mail.example.com:587",
)
DEFAULT_FROM_EMAIL = f"Retake <no-reply@{_public.hostname or 'localhost'}>"
MAILBOX = EMBEDDED and not EMAIL_URL  # a page that shows what was sent, in the embedded start alone
if EMAIL_URL:
    try:
        vars().update(dj_email_url.parse(EMAIL_URL))
    except ValueError:
        env.complain("E004", "EMAIL_URL", "EMAIL_URL has a timeout that is no number.", "Leave ?timeout= away.")
elif MAILBOX:
    EMAIL_BACKEND = "project.embedded.mailbox.Backend"
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_TIMEOUT = vars().get("EMAIL_TIMEOUT") or 10  # seconds that a person waits for a mail server at most

# What browsers may load ---------------------------------------------------------------------------------------------

_picture_origins = [S3_ENDPOINT_URL] if S3_PUBLIC and S3_ENDPOINT_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *_picture_origins],
        "font-src": ["'self'"],
        "connect-src": ["'self'", *_picture_origins],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# Logs -----------------------------------------------------------------------------------------------------------------


def _as_a_line(record: logging.LogRecord) -> bool:
    """What a stranger can cause at will is no error of ours, and where in the code we said no is no news."""
    record.exc_info = None
    record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


METRICS_TOKEN = env.text("METRICS_TOKEN")  # without it there is no /metrics/
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    env.complain(
        "E004", "METRICS_TOKEN", "METRICS_TOKEN is too short: whoever guesses it reads.", "`openssl rand -hex 24`"
    )

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "as_a_line": {"()": "django.utils.log.CallbackFilter", "callback": _as_a_line},
        "context": {"()": "editor.log_context.Context"},
        "without_tokens": {"()": "editor.log_context.WithoutTokens"},
    },
    "formatters": {
        "line": {"()": "editor.log_context.LineFormatter"},
        "json": {"()": "editor.log_context.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.choice("LOG_FORMAT", "LINE", ["LINE", "JSON"]).lower(),
            "filters": ["context", "without_tokens"],
        }
    },
    "root": {"handlers": ["console"], "level": env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])},
    "loggers": {
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        # RQ logs each job's arguments and start at INFO; the rows say it better.
        "rq": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "uvicorn": {"handlers": []},  # its own handlers know no LOG_FORMAT
        **{
            f"django.security.{name}": {"filters": ["as_a_line"]}
            for name in ("DisallowedHost", "RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent")
        },
    },
}

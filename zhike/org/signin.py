"""Signing in: every guess is counted before it is tried, so that parallel guesses cannot outrun the lock."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, transaction
from django.db.models import F

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit
from zhike.org.models import SignInGuard, Staff

WINDOW = timedelta(minutes=15)
ACCOUNT_GUESSES, SOURCE_GUESSES = 5, 50
# Checked when there is no such account, so that the answer takes as long as for a real one.
DECOY = make_password("nobody has this password")


class WrongSignIn(Refusal):
    message = _("E-mail and password do not match.")


class SignInLocked(Refusal):
    message = _("Too many attempts. Try again in %(minutes)s minutes, or ask an administrator.")


def check(email: str, password: str, *, source: str, now: datetime) -> Staff:
    """Return the colleague whose e-mail and password these are; raises `WrongSignIn` or `SignInLocked`."""
    account = f"account:{email.strip().lower()}"
    if not (_may_guess(account, ACCOUNT_GUESSES, now) and _may_guess(f"source:{source}", SOURCE_GUESSES, now)):
        raise SignInLocked(minutes=int(WINDOW.total_seconds() // 60))
    staff = Staff.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if not check_password(password, staff.password if staff else DECOY) or staff is None:
        with transaction.atomic():
            audit.note(staff, "sign_in.failed", ("sign_in", account), at=now, source=source)
        raise WrongSignIn
    with transaction.atomic():
        SignInGuard.objects.filter(key=account).delete()
        Staff.objects.filter(pk=staff.pk).update(last_login=now)
        audit.note(staff, "sign_in.done", staff, at=now, source=source)
    # A whole office behind one address signs in at nine: who got in was no guess. By itself, so that the office does
    # not stand in line for this one row.
    SignInGuard.objects.filter(key=f"source:{source}", failures__gt=0).update(failures=F("failures") - 1)
    return staff


def _may_guess(key: str, most: int, now: datetime) -> bool:
    """Count one guess and say, from the same statement, whether it is still within the window's allowance."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO org_signinguard AS guard (key, failures, last_failure_at) VALUES (%(key)s, 1, %(now)s)
            ON CONFLICT (key) DO UPDATE SET
                failures = CASE WHEN guard.last_failure_at < %(since)s THEN 1 ELSE guard.failures + 1 END,
                last_failure_at = CASE
                    WHEN guard.last_failure_at < %(since)s OR guard.failures < %(most)s THEN %(now)s
                    ELSE guard.last_failure_at END
            RETURNING failures
            """,
            {"key": key, "now": now, "since": now - WINDOW, "most": most},
        )
        (failures,) = cursor.fetchone()
    return bool(failures <= most)

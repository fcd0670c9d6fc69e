"""Sessions in the database, read by a question that is written once: every request begins with it."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from zhike.org.prepared import Prepared, Slot


class SessionStore(db.SessionStore):
    """Django's store of sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        found = _ALIVE.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found


_ALIVE: Prepared[Session] = Prepared(
    lambda _viewer: Session.objects.filter(session_key=Slot("key"), expire_date__gt=Slot("now"))
)

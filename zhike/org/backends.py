"""Who a session belongs to, read by a question that is written once: every request asks it."""

from django.contrib.auth.backends import ModelBackend

from zhike.org.models import Staff
from zhike.org.prepared import Prepared, Slot


class StaffBackend(ModelBackend):
    """Colleagues by e-mail and password; who may not sign in any more is nobody."""

    def get_user(self, user_id: int) -> Staff | None:
        found = _STAFF.first(staff=user_id)
        return found if found is not None and self.user_can_authenticate(found) else None


_STAFF: Prepared[Staff] = Prepared(lambda _viewer: Staff.objects.filter(pk=Slot("staff")))

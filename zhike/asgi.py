"""The web application as the server loads it: tracking calls at their own door, everything else to the pages."""

import os

from django.core.asgi import get_asgi_application

from zhike.api.tracking.application import Beside

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
application = Beside(get_asgi_application())

"""The web application as the server loads it: tracking calls at their own door, everything else to the pages."""

import os
import signal

import django

from zhike.api.tracking.application import Beside
from zhike.web import answering, contexts, running

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
django.setup(set_prefix=False)
contexts.keep_in_context()
application = Beside(answering.Pages())
if os.environ.get(running.SUPERVISED):
    # The server's own processes would outlive the server when that is killed, and go on answering beside the next one.
    # They wait for their server when they are asked to end, so they are not asked.
    running.end_with_parent(signal.SIGKILL)
    answering.settle()

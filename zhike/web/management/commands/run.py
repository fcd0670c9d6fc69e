"""`zhike run`: serve the pages, work the queue, turn the loop every night; Ctrl-C stops everything."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.timezone import now

from zhike.org import company
from zhike.web import running, setting_up


class Command(BaseCommand):
    help = "Serve the web pages, work the queue and turn the loop every night. Ctrl-C stops everything."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2, help="web processes (2)")

    def handle(self, *_args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        running.ensure_port_is_free(host, port)
        ready = setting_up.prepare(now=now())
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        family = running.children(host, port, options["workers"])
        with running.supervised(family):
            if running.wait_until_answering(host, port):
                self._welcome(host, port, ready)
            running.watch(family, stop.is_set)
        self.stdout.write("Stopped.")

    def _welcome(self, host: str, port: int, ready: setting_up.Ready) -> None:
        name = company.current().name or "知客 Zhike"
        lines = [f"{name} is served at http://{host}:{port}  (Ctrl-C stops it)"]
        if ready.first_password:
            lines.append(f"First sign-in: {ready.first_email}  password: {ready.first_password}")
            lines.append("This password is shown once; change it under My account.")
        elif (demo := setting_up.demo_sign_in()).first_password:
            lines.append(f"Demo sign-in: {demo.first_email}  password: {demo.first_password}")
        else:
            lines.append("A forgotten password: zhike init --new-password E-MAIL")
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

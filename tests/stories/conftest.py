"""A real company in a real browser: the demo in a data folder of its own, served by `zhike run`, seen by Chromium."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TODAY = "2026-03-12"
WAIT = 15_000  # Milliseconds a story waits for what it expects to see.


@dataclass
class Company:
    """The demo company while it is served: where, and how to use its command line."""

    address: str
    home: Path
    passwords: dict[str, str] = field(default_factory=dict)

    def zhike(self, *arguments: str) -> str:
        """Run one command against the company's data folder and return what it printed."""
        command = [sys.executable, "-m", "zhike", *arguments]
        done = subprocess.run(
            command, env=environment(self.home), cwd=ROOT, check=False, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def password_of(self, email: str) -> str:
        """Give a colleague a new password, as an administrator at the machine would; once for all stories."""
        if email in self.passwords:
            return self.passwords[email]
        said = self.zhike("init", "--new-password", email)
        found = re.search(r"password: (\S+)", said)
        assert found, said
        return self.passwords.setdefault(email, found.group(1))


def environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ZHIKE_", "DJANGO_"))}
    return {**kept, "ZHIKE_HOME": str(home), "ZHIKE_LOG": "WARNING"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="package")
def company() -> Iterator[Company]:
    # Not below pytest's own folder: the next run of pytest closes that to the server's unprivileged user.
    port = free_port()
    found = Company(f"http://127.0.0.1:{port}", Path(tempfile.mkdtemp(prefix="zhike-story-")) / "home")
    found.zhike("demo", "--customers", "160", "--seed", "7")
    with open(found.home / "run.log", "wb") as log:
        command = [sys.executable, "-m", "zhike", "run", "--port", str(port), "--workers", "1"]
        server = subprocess.Popen(command, env=environment(found.home), cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
        assert server.stdout
        line = server.stdout.readline().decode()
        assert found.address in line, (line, (found.home / "run.log").read_text())
        yield found
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
    shutil.rmtree(found.home.parent)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing: run make browser")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=SWITCHES)


@dataclass
class Visit:
    """One person's browser: signed in, in one language, theme and size; complaints of the page fail the story."""

    page: Page
    context: BrowserContext
    complaints: list[str]

    def check_no_complaints(self) -> None:
        assert self.complaints == []

    def check_nothing_sticks_out(self) -> None:
        """Fail when the page is wider than its window: something does not fit."""
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{self.page.url} is {wide} px too wide"


@pytest.fixture
def visit(company: Company, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open the company as somebody: `visit("lin.zhixia@…", language="en", theme="dark", width=390)`."""
    opened: list[Visit] = []

    def open_as(
        email: str, *, language: str = "zh-CN", theme: str = "light", width: int = 1440, height: int = 900
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme="dark" if theme == "dark" else "light",
            base_url=company.address,
        )
        context.set_default_timeout(WAIT)
        page = context.new_page()
        one = Visit(page, context, [])

        def listen(message: ConsoleMessage) -> None:
            if message.type == "error":
                one.complaints.append(message.text)

        page.on("console", listen)
        page.on("pageerror", lambda error: one.complaints.append(str(error)))
        page.goto("/sign-in")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", company.password_of(email))
        page.click("button.primary")
        page.wait_for_url(re.compile(r"/today"))
        code = "zh-hans" if language.startswith("zh") else "en"
        page.evaluate(SET_LANGUAGE, code)
        page.goto("/today")
        opened.append(one)
        return one

    yield open_as
    for one in opened:
        one.context.close()


SET_LANGUAGE = """async (code) => {
  const token = JSON.parse(document.body.getAttribute('hx-headers:inherited'))['X-CSRFToken'];
  const body = new URLSearchParams({language: code, next: '/today', csrfmiddlewaretoken: token});
  await fetch('/language', {method: 'POST', body});
}"""

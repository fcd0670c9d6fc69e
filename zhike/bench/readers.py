"""Readers: people who sign in over HTTP and look at one page after another, from threads of their own.

A reader stands for one colleague. What it asks for next is drawn from a seeded generator: lists in many filters and
orders, near the front and deep inside, following the list's own link to the next page; searches by Chinese characters,
pinyin, initials, telephone tail, e-mail and number; customers picked over the whole company or from the list just read;
Today.
"""

import random
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from urllib.parse import quote, urlencode

from pypinyin import Style, lazy_pinyin

from zhike.bench import people

KINDS = ("list", "search", "detail", "today")
WEIGHTS = (28, 26, 30, 16)
FILTERS = (
    (),
    ("tier:in:core,key",),
    ("tier:is:potential", "health:below:80"),
    ("stage:is:maturity",),
    ("stage:is:decline",),
    ("health:below:60",),
    ("days_to_renewal:between:0,90",),
    ("days_since_usage:at_least:30",),
    ("arr:above:100000",),
    ("region:is:杭州",),
    ("industry:is:制造", "health:at_least:80"),
)
SORTS = ("", "health", "-health", "-worth", "worth", "customer", "renewal", "last_touch", "-health_change_30d")
NEXT = re.compile(r'href="([^"]*[?&;]after=[^"]*)"')
CUSTOMER = re.compile(r'href="(/customers/\d+)["?]')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
PATIENCE = 120.0
IDLE = 20.0  # Seconds after which a reader opens a new connection; the server closes idle ones after thirty.


class WrongAnswer(Exception):
    """The server answered with something else than the page."""


@dataclass(frozen=True)
class Places:
    """Addresses of the pages; those of customers are found on the list."""

    sign_in: str
    today: str
    customers: str
    search: str


@dataclass
class Tally:
    """What all readers have measured so far; `pause` is how long each looks at a page, on average, in seconds."""

    wanted: int
    pause: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    failures: list[str] = field(default_factory=list)
    bytes_read: int = 0
    measuring: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, seconds: float, size: int) -> None:
        with self.lock:
            if self.measuring.is_set() and not self.over.is_set():
                self.seconds[kind].append(seconds)
                self.bytes_read += size
                if all(len(found) >= self.wanted for found in self.seconds.values()):
                    self.over.set()

    def fail(self, what: str) -> None:
        with self.lock:
            self.failures.append(what)
            if len(self.failures) > 20:
                self.over.set()


class Reader(threading.Thread):
    """One colleague at a browser."""

    def __init__(
        self, number: int, port: int, places: Places, sign_in: tuple[str, str], customers: int, tally: Tally
    ) -> None:
        super().__init__(name=f"reader {number}", daemon=True)
        self.places, self.sign_in, self.customers, self.tally = places, sign_in, customers, tally
        self.random = random.Random(number)  # noqa: S311  Seeded on purpose: the same questions every time.
        self.connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.cookies: SimpleCookie = SimpleCookie()
        self.next_page = ""
        self.is_warm = False
        self.heard_at = 0.0
        self.seen: list[str] = []
        self.makers = {"list": self._list, "search": self._search, "detail": self._detail, "today": self._today}

    def run(self) -> None:
        try:
            self._enter()
            while not self.tally.over.is_set():
                if self.tally.measuring.is_set() and not self.is_warm:
                    # All came while the first web process was alone; now they spread over those there are.
                    self.is_warm = True
                    self.connection.close()
                if self.tally.pause and self.tally.over.wait(self.random.expovariate(1 / self.tally.pause)):
                    break
                self._ask(self.random.choices(KINDS, WEIGHTS)[0])
        except (HTTPException, OSError, WrongAnswer) as error:
            self.tally.fail(f"{self.name}: {error!r}")
        finally:
            self.connection.close()

    def _enter(self) -> None:
        """Sign in through the form, as a person does."""
        page = self._get(self.places.sign_in)
        token = TOKEN.search(page)
        email, password = self.sign_in
        body = urlencode({"csrfmiddlewaretoken": token[1] if token else "", "email": email, "password": password})
        headers = {"Cookie": self._cookie(), "Content-Type": "application/x-www-form-urlencoded"}
        headers["Referer"] = f"http://127.0.0.1:{self.connection.port}{self.places.sign_in}"
        self.connection.request("POST", self.places.sign_in, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        self._keep_cookies(answer.headers.get_all("Set-Cookie") or [])
        if answer.status != 302:
            raise WrongAnswer(f"signing in as {email}: {answer.status}")

    def _ask(self, kind: str) -> None:
        address = self.makers[kind]()
        began = time.perf_counter()
        try:
            page = self._get(address, fragment=kind == "search")
        except WrongAnswer as error:
            self.tally.fail(str(error))
            return
        self.tally.note(kind, time.perf_counter() - began, len(page))
        if kind == "list":
            found = NEXT.search(page)
            self.next_page = unescape(found[1]) if found else ""
            self.seen = CUSTOMER.findall(page) or self.seen

    def _get(self, address: str, *, fragment: bool = False) -> str:
        headers = {"Cookie": self._cookie(), "Accept": "text/html", "Accept-Language": "zh-CN"}
        if fragment:
            headers["HX-Request"] = "true"
        if time.monotonic() - self.heard_at > IDLE:
            self.connection.close()
        self.connection.request("GET", address, headers=headers)
        answer = self.connection.getresponse()
        page = answer.read().decode()
        self.heard_at = time.monotonic()
        self._keep_cookies(answer.headers.get_all("Set-Cookie") or [])
        if answer.status != 200:
            raise WrongAnswer(f"{address}: {answer.status}")
        return page

    def _cookie(self) -> str:
        return "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())

    def _keep_cookies(self, given: Sequence[str]) -> None:
        for one in given:
            self.cookies.load(one)

    def _today(self) -> str:
        return self.places.today

    def _list(self) -> str:
        if self.next_page and self.random.random() < 0.35:
            query = self.next_page.partition("?")[2]
            return f"{self.places.customers}?{query}"
        pairs = [("view", self.random.choice(("mine", "all", "all")))]
        pairs += [("f", one) for one in self.random.choice(FILTERS)]
        sort = self.random.choice(SORTS)
        if sort:
            pairs.append(("sort", sort))
        if sort in {"health", "-health"} and self.random.random() < 0.4:
            # Far inside the list, as after having paged for hours.
            place = f"k{self.random.randint(1, self.customers)}~{self.random.randint(300, 950) / 10}"
            pairs += [("after", place), ("at", str(self.random.randint(1, max(1, self.customers // 60)) * 50 + 1))]
        return f"{self.places.customers}?{urlencode(pairs)}"

    def _detail(self) -> str:
        """Return a customer from the list read last, which is one that this person may see."""
        if not self.seen:
            self.seen = CUSTOMER.findall(self._get(f"{self.places.customers}?view=all"))
        if not self.seen:
            raise WrongAnswer("the list shows no customer")
        return self.random.choice(self.seen)

    def _search(self) -> str:
        one = people.somebody(self.random.randint(1, self.customers))
        name = one.name[-4:] if len(one.name) > 6 else one.name
        asked = self.random.choice(
            (
                one.name[:2],
                one.name,
                one.person,
                "".join(lazy_pinyin(one.name[:3])),
                "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)),
                "".join(lazy_pinyin(one.person)),
                one.phone[-5:],
                one.email,
                one.ref,
                one.name[0],
            )
        )
        return f"{self.places.search}?q={quote(asked)}"

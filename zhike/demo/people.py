"""The people at the customers, with addresses under .example and telephone numbers that nobody has."""

from dataclasses import dataclass
from datetime import date

from numpy.random import Generator
from pypinyin import lazy_pinyin

from zhike.demo import story, vocabulary
from zhike.demo.book import Book

# Role: job titles of the people who have it, most usual first.
TITLES = {
    "decision_maker": ("总经理", "运营总监", "副总经理", "厂长", "创始人"),
    "champion": ("信息部经理", "数字化负责人", "运营经理"),
    "user": ("门店主管", "仓库主管", "计划员", "店长"),
    "finance": ("财务经理", "会计主管"),
    "technical": ("系统管理员", "信息专员"),
}
TITLES_ABROAD = {
    "decision_maker": ("Managing Director", "Head of Operations"),
    "champion": ("Digital Lead",),
    "user": ("Store Manager",),
    "finance": ("Finance Manager",),
    "technical": ("Systems Administrator",),
}
ROLES_BY_STRATUM = (
    ("decision_maker", "champion", "user", "finance", "technical"),
    ("decision_maker", "champion", "finance", "technical"),
    ("decision_maker", "user", "technical"),
    ("decision_maker",),
)
DIFFERENT_PHONES = 10**7


@dataclass(frozen=True)
class Person:
    customer: int
    ref: str
    name: str
    title: str
    role: str
    email: str
    phone: str
    birthday: date | None

    @property
    def called(self) -> str:
        """How a Chinese colleague would speak of this person: 周敏 as a director is 周总."""
        if not self.is_chinese:
            return self.name.split()[0]
        bosses = self.role == "decision_maker" and ("总" in self.title or "创始" in self.title or "厂长" in self.title)
        return f"{self.name[0]}总" if bosses else f"{self.name[0]}经理" if "经理" in self.title else self.name

    @property
    def is_chinese(self) -> bool:
        return not self.name.isascii()


def draw(book: Book, random: Generator) -> list[list[Person]]:
    """Return the contacts of each customer, the one to talk to first."""
    return [_of_customer(book, customer, random) for customer in range(len(book))]


def _of_customer(book: Book, customer: int, random: Generator) -> list[Person]:
    if book.names[customer] in story.PEOPLE:
        who = list(story.PEOPLE[book.names[customer]])
    else:
        roles = ROLES_BY_STRATUM[int(book.stratum[customer])]
        abroad = book.cities[customer] in vocabulary.FOREIGN_CITIES
        titles = TITLES_ABROAD if abroad else TITLES
        who = [(_name(random, abroad=abroad), _pick(titles[role], random), role) for role in roles]
    return [_person(book, customer, number, *one, random) for number, one in enumerate(who, start=1)]


def _person(book: Book, customer: int, number: int, name: str, title: str, role: str, random: Generator) -> Person:
    ref = book.refs[customer]
    local = "".join(lazy_pinyin(name)) if not name.isascii() else name.lower().replace(" ", ".")
    born = date(int(random.integers(1964, 1999)), int(random.integers(1, 13)), int(random.integers(1, 29)))
    return Person(
        customer=customer,
        ref=f"{ref}-{number}",
        name=name,
        title=title,
        role=role,
        email=f"{local}@{ref.lower()}.example",
        phone=_phone(book, customer, number),
        birthday=born if random.random() < 0.55 else None,
    )


def _phone(book: Book, customer: int, number: int) -> str:
    """Return a number that is well formed, different for each of some millions of people, and plainly made up."""
    country = vocabulary.FOREIGN_CITIES.get(book.cities[customer])
    serial = customer * 5 + number
    if country:
        pattern = vocabulary.COUNTRIES[country][3]
        return pattern.format(serial % (1000 if "03d" in pattern else 10_000))
    return f"+86 190{serial % DIFFERENT_PHONES:08d}"


def _name(random: Generator, *, abroad: bool) -> str:
    if abroad:
        return f"{_pick(vocabulary.FOREIGN_FIRST, random)} {_pick(vocabulary.FOREIGN_LAST, random)}"
    given = "".join(_pick(vocabulary.GIVEN, random) for _ in range(1 if random.random() < 0.3 else 2))
    return _pick(vocabulary.SURNAMES, random) + given


def _pick(choices: tuple[str, ...] | str, random: Generator) -> str:
    # The end of a list is rarer: first titles and common surnames come first.
    return choices[int(len(choices) * random.random() ** 1.4)]

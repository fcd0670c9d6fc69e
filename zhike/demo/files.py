"""The simulated company as files: what a real one would import, and the truth beside it.

The same size and seed give the same bytes.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator, default_rng

from zhike.demo import book, life, orders, people, story, talk, truth, usage, vocabulary

NAMES = {one.email: one.name for one in story.COLLEAGUES}
CUSTOMER_COLUMNS = (
    "客户编号",
    "客户名称",
    "类型",
    "行业",
    "地区",
    "规模",
    "合作开始",
    "负责人",
    "获客成本",
    "席位数",
    "战略客户",
)
CONTACT_COLUMNS = ("客户编号", "联系人编号", "姓名", "职务", "角色", "邮箱", "手机", "生日")
SUBSCRIPTION_COLUMNS = ("客户编号", "产品", "开始", "结束", "月费", "席位", "币种", "付款")
BY_MONTH, BY_YEAR = "按月", "按年"
ORDER_COLUMNS = ("订单号", "客户编号", "下单时间", "产品编号", "产品名称", "数量", "单价", "币种")
INTERACTION_COLUMNS = ("客户编号", "时间", "渠道", "方向", "跟进人", "内容")
SURVEY_COLUMNS = ("客户编号", "时间", "分数", "留言")
PLANNED_DAYS = 35
SIZES = ((200, "200 人以上"), (50, "50–200 人"), (10, "10–50 人"), (0, "10 人以下"))

Progress = Callable[[str], None]


def write(folder: Path, size: book.Size, progress: Progress) -> None:
    """Simulate a company and write its files into the folder, which is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    drawing, living, using, meeting, talking, buying = default_rng(size.seed).spawn(6)
    progress("simulating")
    customers = book.draw(size, drawing)
    history = life.live(customers, size, living)
    progress("writing")
    _parquet(folder / "usage.parquet", usage.table(customers, history, size, using))
    contacts = people.draw(customers, meeting)
    speaker = talk.Speaker(customers, history, contacts, size, talking)
    _customers(folder / "customers.csv", customers, history, size, buying)
    _contacts(folder / "contacts.csv", customers, contacts)
    _subscriptions(folder / "subscriptions.csv", customers, history, size)
    _orders(folder / "orders.csv", orders.draw(customers, history, size, buying))
    _interactions(folder, speaker.interactions(), size)
    answers = ([one.customer, one.at, one.score, one.comment] for one in speaker.answers())
    _csv(folder / "surveys.csv", SURVEY_COLUMNS, answers)
    _parquet(folder / "truth.parquet", truth.monthly(customers, history, size))
    _parquet(folder / "truth_touches.parquet", truth.touches(customers, history, size))
    note = asdict(size) | {"until": size.until.isoformat(), "first": size.first.isoformat(), "rates": vocabulary.RATES}
    (folder / "company.json").write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _customers(path: Path, drawn: book.Book, history: life.Life, size: book.Size, random: Generator) -> None:
    first = np.array([contract.yearly for contract in _first_contracts(drawn, history)])
    cost = np.round(first * random.uniform(0.12, 0.35, len(drawn)), 0)
    rows = (
        [
            drawn.refs[index],
            drawn.names[index],
            "organisation",
            drawn.industries[index],
            drawn.cities[index],
            next(words for least, words in SIZES if drawn.seats[index] * 4 >= least),
            size.day(int(drawn.joined[index])),
            NAMES[drawn.owners[index]],
            int(cost[index]),
            int(drawn.seats[index]),
            "是" if drawn.stratum[index] == 0 and drawn.fit[index] > 0.8 else "否",
        ]
        for index in range(len(drawn))
    )
    _csv(path, CUSTOMER_COLUMNS, rows)


def _first_contracts(drawn: book.Book, history: life.Life) -> list[life.Contract]:
    first: dict[int, life.Contract] = {}
    for contract in history.contracts:
        first.setdefault(contract.customer, contract)
    return [first[index] for index in range(len(drawn))]


def _contacts(path: Path, drawn: book.Book, contacts: list[list[people.Person]]) -> None:
    rows = (
        [drawn.refs[one.customer], one.ref, one.name, one.title, one.role, one.email, one.phone, one.birthday]
        for persons in contacts
        for one in persons
    )
    _csv(path, CONTACT_COLUMNS, rows)


def _subscriptions(path: Path, drawn: book.Book, history: life.Life, size: book.Size) -> None:
    products = [name for name, _ in vocabulary.PRODUCTS.values()]
    rows = (
        [
            drawn.refs[one.customer],
            products[int(drawn.stratum[one.customer])],
            size.day(one.start),
            None if one.end is None else size.day(one.end),
            f"{one.yearly / 12:.2f}",
            one.seats,
            drawn.currencies[one.customer],
            BY_MONTH if drawn.monthly[one.customer] else BY_YEAR,
        ]
        for one in history.contracts
    )
    _csv(path, SUBSCRIPTION_COLUMNS, rows)


def _orders(path: Path, lines: list[orders.Line]) -> None:
    rows = (
        [one.order, one.customer, one.at, one.product, one.description, one.quantity, f"{one.price:.2f}", one.currency]
        for one in lines
    )
    _csv(path, ORDER_COLUMNS, rows)


def _interactions(folder: Path, said: list[talk.Said], size: book.Size) -> None:
    """Write what was said; what colleagues told customers in the last weeks has a file of its own.

    The product had begun to plan contacts by then, so those were logged in it and not brought in from elsewhere.
    """
    since = size.until - timedelta(days=PLANNED_DAYS - 1)
    logged = [one for one in said if one.direction == "out" and one.at.date() >= since]
    ours = set(map(id, logged))
    for name, some in (("interactions", [one for one in said if id(one) not in ours]), ("interactions_logged", logged)):
        rows = ([one.customer, one.at, one.channel, one.direction, one.by, one.text] for one in some)
        _csv(folder / f"{name}.csv", INTERACTION_COLUMNS, rows)


def _csv(path: Path, columns: tuple[str, ...], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode())


def _parquet(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd")

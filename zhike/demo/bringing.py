"""The files of the simulated company, brought in through the import that everybody uses."""

import csv
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from zhike.demo import files
from zhike.org.models import Staff
from zhike.org.works import Silent
from zhike.record.imports import operations
from zhike.record.imports.models import Import

CUSTOMERS = {
    "id": "客户编号",
    "name": "客户名称",
    "kind": "类型",
    "industry": "行业",
    "region": "地区",
    "size": "规模",
    "joined": "合作开始",
    "owner": "负责人",
    "acquisition_cost": "获客成本",
    "attributes.seats_bought": "席位数",
    "attributes.strategic": "战略客户",
}
CONTACTS = {
    "customer": "客户编号",
    "id": "联系人编号",
    "name": "姓名",
    "role": "角色",
    "email": "邮箱",
    "phone": "手机",
    "birthday": "生日",
}
SUBSCRIPTIONS = {
    "customer": "客户编号",
    "product": "产品",
    "start": "开始",
    "end": "结束",
    "mrr": "月费",
    "quantity": "席位",
    "currency": "币种",
}
ORDERS = {
    "order": "订单号",
    "customer": "客户编号",
    "time": "下单时间",
    "product": "产品编号",
    "description": "产品名称",
    "quantity": "数量",
    "price": "单价",
    "currency": "币种",
}
USAGE = {"customer": "customer", "time": "day", "event": "event", "count": "count", "users": "users"}
INTERACTIONS = {
    "customer": "客户编号",
    "time": "时间",
    "channel": "渠道",
    "direction": "方向",
    "by": "跟进人",
    "text": "内容",
}
FILES = (
    ("customers", "customers.csv", CUSTOMERS),
    ("contacts", "contacts.csv", CONTACTS),
    ("orders", "orders.csv", ORDERS),
    ("interactions", "interactions.csv", INTERACTIONS),
    ("usage", "usage.parquet", USAGE),
)


class RowsRefused(Exception):
    """The product refused rows of its own demo: a fault of ours."""


def bring_all_in(folder: Path, *, by: Staff, now: datetime, say: Callable[[str], None]) -> None:
    """Bring in every file of the folder; raises RowsRefused when a row was not taken."""
    for kind, name, mapping in FILES:
        done = bring_in(kind, folder / name, mapping, by=by, now=now)
        say(f"{kind}: {done.counts['rows']:,}")
    contracts = bring_contracts_in(folder, None, now.date(), by=by, now=now)
    say(f"subscriptions: {contracts:,}")


def bring_contracts_in(folder: Path, since: date | None, until: date, *, by: Staff, now: datetime) -> int:
    """Bring in contracts as they are known on the day `until`; with `since`, only those known to end since then.

    What is paid by the month runs on until it is given up: when it ends is not known before.
    """
    with (folder / "subscriptions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = [row | {"结束": "" if _open_on(row, until) else row["结束"]} for row in rows]
    if since is not None:
        known = [row for row in known if row["付款"] == files.BY_MONTH and row["结束"] > since.isoformat()]
    if not known:
        return 0
    path = folder / "subscriptions_known.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, files.SUBSCRIPTION_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(known)
    bring_in("subscriptions", path, SUBSCRIPTIONS, by=by, now=now, update_existing=True)
    path.unlink()
    return len(known)


def _open_on(row: dict[str, str], day: date) -> bool:
    return row["付款"] == files.BY_MONTH and row["结束"] > day.isoformat()


def bring_in(
    kind: str, path: Path, mapping: dict[str, str], *, by: Staff, now: datetime, update_existing: bool = False
) -> Import:
    """Bring in one file and return how that went."""
    with path.open("rb") as file:
        given = operations.hand_in(
            kind, file, path.name, by=by, now=now, mapping=mapping, update_existing=update_existing
        )
    done = operations.bring_in(given, dry=False, now=now, watcher=Silent())
    if done.counts["refused"]:
        raise RowsRefused(f"{path.name}: {done.counts['reasons']}")
    return done

"""The files of the simulated company, brought in through the import that everybody uses."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

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
    ("subscriptions", "subscriptions.csv", SUBSCRIPTIONS),
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


def bring_in(kind: str, path: Path, mapping: dict[str, str], *, by: Staff, now: datetime) -> Import:
    """Bring in one file and return how that went."""
    with path.open("rb") as file:
        given = operations.hand_in(kind, file, path.name, by=by, now=now, mapping=mapping)
    done = operations.bring_in(given, dry=False, now=now, watcher=Silent())
    if done.counts["refused"]:
        raise RowsRefused(f"{path.name}: {done.counts['reasons']}")
    return done

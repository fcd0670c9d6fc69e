"""Facts that stand in the customer's own record, and how long we have known it."""

from dataclasses import replace

from zhike.kit.ruletrees import Kind
from zhike.measure.facts.fact import Fact, Source, Unit

KINDS = {"organisation": ("组织", "Organisation"), "person": ("个人", "Person")}


def _own(name: str, kind: Kind, unit: Unit, zh: str, en: str, meaning_zh: str, meaning_en: str) -> Fact:
    named = KINDS if kind is Kind.CHOICE else {}
    own = Fact(name, kind, unit, zh, en, meaning_zh, meaning_en, Source.CUSTOMER, f"customers.{name}")
    return replace(own, choices=tuple(named), named=named)


CUSTOMER_FACTS = (
    _own("ref", Kind.TEXT, Unit.NONE, "客户编号", "Customer number", "公司给客户的编号。", "The company's own number."),
    _own("name", Kind.TEXT, Unit.NONE, "客户名称", "Name", "客户的名称。", "The name of the customer."),
    _own("kind", Kind.CHOICE, Unit.NONE, "客户类型", "Kind", "组织或个人。", "An organisation or a person."),
    _own("industry", Kind.TEXT, Unit.NONE, "行业", "Industry", "客户所在行业。", "The industry of the customer."),
    _own("region", Kind.TEXT, Unit.NONE, "地区", "Region", "客户所在地区。", "Where the customer is."),
    _own(
        "size",
        Kind.TEXT,
        Unit.NONE,
        "规模",
        "Size",
        "客户规模，按公司自己的分档。",
        "In the company's own classes.",
    ),
    _own("joined", Kind.DATE, Unit.DAY, "合作开始", "Customer since", "登记的合作开始日期。", "The day on record."),
    _own(
        "owner_id",
        Kind.INTEGER,
        Unit.NONE,
        "负责人",
        "Owner",
        "负责人的员工编号。",
        "The number of the colleague who looks after the customer.",
    ),
    _own(
        "acquisition_cost",
        Kind.MONEY,
        Unit.MONEY,
        "获客成本",
        "Acquisition cost",
        "获得这家客户花的钱。",
        "What it cost to win the customer.",
    ),
    Fact(
        "tenure_days",
        Kind.INTEGER,
        Unit.DAYS,
        "合作天数",
        "Tenure",
        "从合作开始到今天的天数；没有登记开始日期的，从最早一次下单、签约或使用算起。",
        "Days since the customer joined; without a day on record, since the first order, subscription or usage.",
        Source.WIDE,
        "$today - COALESCE(joined, first_sign)",
    ),
)

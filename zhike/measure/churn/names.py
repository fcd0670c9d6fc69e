"""What the name of a column says, in English and Chinese: an id, something of the answer, a time that it ends."""

from __future__ import annotations

import re

from zhike.measure.churn.tables import Column

_ID_END = re.compile(
    r"(?:^|[\s_\-.#])(?:id|ids|uuid|guid|no|nr|num|number|key|code|ref|rowid|index)$|(?<=[a-z])(?:ID|Id|No|Number)$"
)
_WHO = re.compile(
    r"(customer|client|account|user|member|household|subscriber|contact|company|org|tenant|person|guest|policy|客户|会员|用户|账号|账户|单位|企业)",
    re.IGNORECASE,
)
_ID_ZH = re.compile(r"(编号|编码|号码|账号|卡号|序号|代码|ID|id|号)$")
_AFTER = re.compile(
    r"churn|cancel|terminat|attrit|unsubscri|deactivat|\bexit|lapsed|\bleft\b"
    r"|\bclosed?[_ ]?(?:date|reason|at|on)|end[_ ]?reason"
    r"|流失|退订|注销|取消|销户|离网|解约|终止|退网",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"prev|prior|past|last[_ ]|earlier|histor|risk[_ ]?(?:band|class)|以往|历史|此前|上次|过去", re.IGNORECASE
)
_FOLLOWED = re.compile(
    r"^(?:months?|weeks?|days?|years?)[_ ]?active$|surviv|follow[_ ]?up|time[_ ]?to[_ ]?(?:event|churn|cancel|exit)"
    r"|^(?:customer[_ ]?)?lifetime(?:[_ ](?:days|weeks|months|years))?$|存续|生存|随访",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z]{4,}|[\u4e00-\u9fff]{2,}")


def split(name: str) -> str:
    """Return a name with its humps parted: TotalCharges is Total_Charges."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def is_id(column: Column) -> bool:
    """Say whether a column names its rows: all different and dense, all different text, or an id by name."""
    rows = int((~column.missing).sum())
    distinct = column.distinct()
    if rows < 20:
        return False
    named = bool(
        _ID_END.search(column.name) or _ID_END.search(split(column.name).lower()) or _ID_ZH.search(column.name)
    )
    if column.kind == "category":
        return (
            distinct >= 0.95 * rows
            or (named and distinct > max(50, 0.2 * rows))
            or _names_a_customer(column, distinct, rows)
        )
    if column.kind == "day":
        return False
    held = column.values[~column.missing]
    if (held % 1 != 0).any() or distinct < 0.9 * rows:
        return named and bool(_WHO.search(column.name)) and (held % 1 == 0).all() and distinct > max(50, 0.02 * rows)
    dense = rows >= 50 and distinct == rows and held.max() - held.min() < 1.5 * rows
    return bool(named or dense)


def _names_a_customer(column: Column, distinct: int, rows: int) -> bool:
    named = bool(_ID_END.search(split(column.name).lower()) or _ID_ZH.search(column.name))
    return named and bool(_WHO.search(column.name)) and distinct > max(50, 0.02 * rows)


def is_customer(column: Column) -> bool:
    """Say whether the ids of a column are those of customers, so that their rows belong together."""
    return bool(_WHO.search(column.name)) and is_id(column) and column.distinct() < (~column.missing).sum()


def is_prose(column: Column) -> bool:
    """Say whether a column holds sentences."""
    if column.kind != "category" or not column.names or column.distinct() < 30:
        return False
    some = column.names[:: max(1, len(column.names) // 200)]
    return sum(len(one) for one in some) / len(some) > 40 and column.distinct() > 0.3 * int((~column.missing).sum())


def of_the_answer(name: str, label: str) -> bool:
    """Say whether a name speaks of leaving, or is built on the name of the label, and not of what was before."""
    if _BEFORE.search(split(name)):
        return False
    words = {one.lower() for one in _WORD.findall(split(label))} - {"label", "flag", "target", "status", "class"}
    parts = split(name).lower()
    return bool(_AFTER.search(split(name))) or any(one in parts for one in words)


def followed_up(name: str) -> bool:
    """Say whether a name is that of the time until the end of watching, as studies of survival have it."""
    return bool(_FOLLOWED.search(name.strip()))

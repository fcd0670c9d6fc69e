"""Which product codes are products, and which are fees and services that shops book among them."""

import re
import unicodedata
from collections.abc import Collection

# Codes under which shops book services among their products. Single letters count only with a description that agrees.
SERVICE_CODES = frozenset(
    [
        *("post", "postage", "dot", "ship", "shipping", "freight", "carriage", "delivery", "handling"),
        *("bank charges", "bankcharges", "amazonfee", "fee", "fees", "surcharge", "commission", "cruk"),
        *("discount", "disc", "rebate", "coupon", "voucher", "adjust", "adjustment", "manual", "sample", "samples"),
        *("运费", "邮费", "快递费", "手续费", "服务费", "佣金", "折扣", "优惠", "样品", "押金", "差价", "补差价"),
    ]
)
SHORT_CODES = frozenset(["m", "d", "s", "b", "p", "c2", "c3"])
_SERVICE_PREFIX = re.compile(r"gift_\d.*|adjust\d*|bad.?debt.*")
_SERVICE_WHOLE = re.compile(
    r"(.*\b)?(postage|carriage|shipping|freight|delivery|handling|bank)(\s+(charges?|fees?|costs?))?"
    r"|.*\b(fees?|commission|surcharge|bad debt)"
    r"|(order |customer |trade )?discount( given| applied)?|manual( adjustment)?|samples?|adjustments?"
    r"|gift (card|voucher)\b.*|.*\bgift voucher\b.*"
    r"|[^\s]{0,8}(运费|邮费|快递费|配送费|包装费|手续费|服务费|佣金|折扣|优惠券|代金券|补差价|押金|样品)[^\s]{0,4}"
)
_HAS_DIGITS = re.compile(r"\d{3,}")


def is_fee(code: str, description: str = "", named: Collection[str] = ()) -> bool:
    """Say whether a product code with its usual description stands for a fee or service instead of a product.

    `named` are codes that the company says are fees. A code that is a long number is an article, whatever the words.
    """
    key, words = _folded(code), _folded(description)
    if key in {_folded(each) for each in named}:
        return True
    if key in SERVICE_CODES or _SERVICE_PREFIX.fullmatch(key):
        return True
    if _HAS_DIGITS.search(key):
        return False
    says_service = bool(_SERVICE_WHOLE.fullmatch(words))
    return says_service or (key in SHORT_CODES and not words)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

"""Terms that read as words, for the titles of groups of texts: no halves of words, no words that only join others.

Scripts without spaces have no word boundaries, so a row of characters is made longer as long as the texts leave hardly
a choice ("置发动机" becomes "水平对置发动机"), and loses characters at its ends that only join words ("的油耗" becomes
"油耗").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

LONGEST = 8
ALWAYS = 0.75  # The share of places of a term where the same character stands beside it.
LEAST_PLACES = 2
EDGES = frozenset(
    "的了着过是在和与及或而就都也还很太又再才只且但被把给让对从向为以于由将等之其吗呢吧啊呀哦嘛么哈嗯"
    "我你您他她它们这那哪某各每个些种件次位家有没不无要会能可想得地去来到说看做用里上下中前后时候更最挺真好点儿"
)
"""Characters that a title neither begins nor ends with, unless nothing else is left."""
_KEPT = """
用户 用量 用完 无法 无效 无人 不能 不了 不行 不足 不好 没有 没人 没法 上传 上线 下载 下单
下线 下架 中断 中文 前台 后台 时间 时长 位置 地址 地图 家具 家电 个人 种类 次数 件数 点餐
点击 说明 看板 做工 好评 来电 去重 对账 对接 对比 从业 将来 不准 不稳 不到 不见 登不上 连不上
打不开 进不去 用不了 收不到
"""
KEPT = frozenset(_KEPT.split())
"""Words that begin or end like that and are words."""
_JOINING = """
a about after all also am an and any are as at be been before being but by can could did do does doing for
from get gets getting go going got had has have having he her here hers him his how i i'd i'll i'm i've if in
into is isn't it it's its just like may me might more most must my no nor not of off on once one only or other
our ours out over own per please said same see she should so some such than that that's the their theirs them
then there there's these they this those through to too under until up upon us very via was we were what when
where whether which while who whom why will with without would yes yet you you'd you'll you're you've your
yours don't doesn't didn't can't won't
"""
JOINING = frozenset(_JOINING.split())


def readable(weighed: Mapping[str, float], members: Sequence[str]) -> dict[str, float]:
    """Return terms as words with their weights; several that become one keep the largest.

    `members` are the plain texts of the group; a word of fewer than two of them, or of less than a quarter, is none of
    the group's.
    """
    joined, least = "\n".join(members), max(2, len(members) / 4)
    found: dict[str, float] = {}
    for term, weight in weighed.items():
        word = _latin(term) if term.isascii() else _dense(term, joined)
        if word and sum(word in text for text in members) >= least:
            found[word] = max(found.get(word, 0.0), weight)
    return found


def _latin(term: str) -> str:
    words = term.split()
    while words and words[0] in JOINING:
        words = words[1:]
    while words and words[-1] in JOINING:
        words = words[:-1]
    word = " ".join(words)
    return word if len(word) > 2 and any(sign.isalpha() for sign in word) else ""


def _dense(term: str, joined: str) -> str:
    """Return a row of characters made whole and trimmed, "" when it is no word."""
    if any(sign.isascii() for sign in term):  # Numbers and Latin letters grown into characters are no word.
        return ""
    whole = _grown(term, joined)
    return _trimmed(whole) or _trimmed(term)


def _grown(term: str, joined: str) -> str:
    while len(term) < LONGEST:
        before, after, places = _beside(term, joined)
        if places < LEAST_PLACES:
            return term
        (left, lefts), (right, rights) = before, after
        if max(lefts, rights) < ALWAYS * places:
            return term
        term = left + term if lefts >= rights else term + right
    return term


def _beside(term: str, joined: str) -> tuple[tuple[str, int], tuple[str, int], int]:
    """Return the most frequent character before and after a term with how often, and how often it stands there."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    places, at = 0, joined.find(term)
    while at >= 0:
        places += 1
        end = at + len(term)
        before.update(_letter(joined[at - 1 : at]))
        after.update(_letter(joined[end : end + 1]))
        at = joined.find(term, end)
    return _first(before), _first(after), places


def _first(counts: Counter[str]) -> tuple[str, int]:
    return counts.most_common(1)[0] if counts else ("", 0)


def _letter(sign: str) -> str:
    return sign if sign.isalpha() and not sign.isascii() else ""


def _trimmed(term: str) -> str:
    while term and term not in KEPT and (term[0] in EDGES or term[-1] in EDGES):
        if term[:2] in KEPT and term[-1] not in EDGES:
            break
        if term[-2:] in KEPT and term[0] not in EDGES:
            break
        term = term[1:] if term[0] in EDGES and term[:2] not in KEPT else term[:-1]
    return term if len(term) > 1 else ""

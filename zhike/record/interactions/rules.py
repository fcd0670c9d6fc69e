"""Reading one line that a person types about a contact with a customer: by phone, with whom, reached or not."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

CHANNEL_WORDS: dict[str, tuple[str, ...]] = {
    "phone": ("电话", "打电话", "来电", "去电", "通话", "phone", "call", "called", "rang"),
    "email": ("邮件", "发邮件", "邮箱", "email", "e-mail", "mail", "mailed", "emailed"),
    "wecom": ("企业微信", "企微", "微信", "wecom", "wechat"),
    "dingtalk": ("钉钉", "dingtalk"),
    "feishu": ("飞书", "feishu", "lark"),
    "chat": ("在线客服", "在线咨询", "聊天", "chat", "web chat"),
    "sms": ("短信", "发短信", "sms", "text", "texted"),
    "social": ("社交媒体", "微博", "小红书", "抖音", "公众号", "social", "weibo", "linkedin"),
    "meeting": ("视频会议", "线上会议", "会议", "开会", "演示", "meeting", "met", "demo", "video"),
    "visit": ("上门拜访", "上门", "拜访", "走访", "面谈", "visit", "visited", "on site"),
    "community": ("社群", "社区", "群里", "community", "forum"),
    "in_app": ("站内信", "产品内", "应用内", "in-app", "in app"),
}
_NO_ANSWER = re.compile(
    r"没接|未接|无人接听|没人接|打不通|占线|关机|联系不上"
    r"|\bno answer\b|\bdid(?:n't| not) (?:answer|pick up)\b|\bnot reached\b",
    re.IGNORECASE,
)
_LEFT_MESSAGE = re.compile(r"留言|留了话|\bvoice ?mail\b|\bleft (?:a |him a |her a )?message\b", re.IGNORECASE)
_FROM_CUSTOMER = re.compile(
    r"来电|客户(?:主动)?(?:打来|来信|来访|找来|问)|\b(?:inbound|incoming|they called|called us|wrote to us)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(r"^[\s:：,，。、\-—]+")


@dataclass(frozen=True, slots=True)
class Line:
    """What a typed line says. `channel` is "" when it does not say; `contact` is the id of a named contact."""

    channel: str
    direction: str
    outcome: str
    contact: int | None
    text: str


def read_line(typed: str, contacts: Mapping[int, str]) -> Line:
    """Read `/电话 王敏 下周给方案` or `Call with Mei: renewal in May`; `contacts` are names by id."""
    text = unicodedata.normalize("NFC", typed).strip()
    channel, rest = _leading_channel(text)
    outcome = "no_answer" if _NO_ANSWER.search(text) else "left_message" if _LEFT_MESSAGE.search(text) else "reached"
    direction = "in" if _FROM_CUSTOMER.search(text) else "out"
    return Line(channel, direction, outcome, _named(rest, contacts), rest)


def _leading_channel(text: str) -> tuple[str, str]:
    """Return the channel that a line starts with and the line, without the word where it was a command or a label."""
    command = text.startswith("/")
    bare = text[1:].lstrip() if command else text
    folded = bare.casefold()
    for word, channel in _BY_LENGTH:
        if not folded.startswith(word):
            continue
        rest = bare[len(word) :]
        if word.isascii() and rest[:1].isalnum() and rest[:1].isascii():
            continue
        if command or rest[:1] in {":", "："}:
            return channel, _AFTER.sub("", rest) or bare
        return channel, bare
    return "", bare if command else text


_BY_LENGTH = sorted(
    ((word, channel) for channel, words in CHANNEL_WORDS.items() for word in words), key=lambda pair: -len(pair[0])
)


def _named(text: str, contacts: Mapping[int, str]) -> int | None:
    """Return the contact whose name stands in the text: whole, or the first name if only one person has it."""
    folded = text.casefold()
    whole = [pk for pk, name in contacts.items() if len(name) > 1 and name.casefold() in folded]
    if len(whole) == 1:
        return whole[0]
    words = set(re.findall(r"[a-zà-ÿ]+", folded))
    first = [
        pk for pk, name in contacts.items() if name.isascii() and name.split() and name.split()[0].casefold() in words
    ]
    return first[0] if not whole and len(first) == 1 else None

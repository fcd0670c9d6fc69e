"""What every section of the plan is made of: words in two languages, keys, lengths of time, channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Language = Literal["zh", "en"]
Words = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Days = Annotated[int, Field(ge=1, le=3650)]
Minutes = Annotated[int, Field(ge=1, le=480)]
PartOf = Annotated[float, Field(gt=0, le=1)]
"""A share that is more than nothing."""

# The channels of record.customers, which rules may not import; a test keeps both equal.
Channel = Literal[
    "phone",
    "email",
    "wecom",
    "dingtalk",
    "feishu",
    "chat",
    "sms",
    "social",
    "meeting",
    "visit",
    "community",
    "in_app",
]
CHANNELS: tuple[str, ...] = get_args(Channel)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Section):
    """Words in Chinese, English or both. In the document a plain text stands for both languages."""

    zh: Words | None = None
    en: Words | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Text:
        if self.zh is None and self.en is None:
            raise ValueError("words in zh or en are needed")
        return self

    def to(self, language: str) -> str:
        """Return the words for a reader of `language` (zh, zh-hans, en …), else those of the other language."""
        return best_words({"zh": self.zh, "en": self.en}, language)


NAME_LENGTH = 60
NameWords = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, pattern=r"\S")]


class Name(Text):
    """Words short enough for a tab or a table."""

    zh: NameWords | None = None
    en: NameWords | None = None


def best_words(words: Mapping[Any, str | None], language: str) -> str:
    """Return the words for a reader of `language`, else those of the other language, else an empty text."""
    chinese, english = words.get("zh") or "", words.get("en") or ""
    return (chinese or english) if language.startswith("zh") else (english or chinese)

"""A rule in words, Chinese or English."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from zhike.kit.ruletrees.fields import Kind, Op
from zhike.kit.ruletrees.tree import AllOf, AnyOf, Comparison, DaysFromToday, Not, Rule, Scalar

Language = Literal["zh", "en"]

_WORDS: dict[Language, dict[Op, str]] = {
    "zh": {
        Op.IS: "{name}为{value}",
        Op.IS_NOT: "{name}不为{value}",
        Op.IN: "{name}为{value}之一",
        Op.NOT_IN: "{name}不为{value}",
        Op.ABOVE: "{name}高于{value}",
        Op.AT_LEAST: "{name}不低于{value}",
        Op.BELOW: "{name}低于{value}",
        Op.AT_MOST: "{name}不高于{value}",
        Op.BETWEEN: "{name}在{first}到{last}之间",
        Op.CONTAINS: "{name}包含{value}",
    },
    "en": {
        Op.IS: "{name} is {value}",
        Op.IS_NOT: "{name} is not {value}",
        Op.IN: "{name} is one of {value}",
        Op.NOT_IN: "{name} is none of {value}",
        Op.ABOVE: "{name} is above {value}",
        Op.AT_LEAST: "{name} is at least {value}",
        Op.BELOW: "{name} is below {value}",
        Op.AT_MOST: "{name} is at most {value}",
        Op.BETWEEN: "{name} is between {first} and {last}",
        Op.CONTAINS: "{name} contains {value}",
    },
}

_DAY_WORDS: dict[Language, dict[Op, str]] = {
    "zh": {
        Op.ABOVE: "{name}晚于{value}",
        Op.AT_LEAST: "{name}不早于{value}",
        Op.BELOW: "{name}早于{value}",
        Op.AT_MOST: "{name}不晚于{value}",
    },
    "en": {
        Op.ABOVE: "{name} is after {value}",
        Op.AT_LEAST: "{name} is on or after {value}",
        Op.BELOW: "{name} is before {value}",
        Op.AT_MOST: "{name} is on or before {value}",
    },
}


_SEVERAL_WORDS: dict[Language, dict[Op, str]] = {
    "zh": {Op.IN: "{name}含{value}之一", Op.NOT_IN: "{name}不含{value}"},
    "en": {Op.IN: "{name} has one of {value}", Op.NOT_IN: "{name} has none of {value}"},
}

_KNOWN: dict[Language, dict[bool, str]] = {
    "zh": {True: "{name}已知", False: "{name}未知"},
    "en": {True: "{name} is known", False: "{name} is unknown"},
}


def describe(
    rule: Rule,
    names: Mapping[str, str],
    language: Language = "zh",
    number: Callable[[str, Decimal], str] | None = None,
) -> str:
    """Return the rule in one short phrase, such as `健康分低于 60 且客户层级为 核心`.

    `names` maps fields to their labels and `field=value` to labels of values; what is missing is shown as it is.
    `number` says a number of a field in that language, with its unit.
    """
    return _Words(names, language, number or _plain).rule(rule, inside=False)


class _Words:
    def __init__(self, names: Mapping[str, str], language: Language, number: Callable[[str, Decimal], str]) -> None:
        self.names, self.number = names, number
        self.language = language
        self.chinese = language == "zh"

    def rule(self, rule: Rule, *, inside: bool) -> str:
        match rule:
            case AllOf(rules):
                return self.group(rules, "且" if self.chinese else "and", inside=inside)
            case AnyOf(rules):
                return self.group(rules, "或" if self.chinese else "or", inside=inside)
            case Not(inner):
                phrase = self.rule(inner, inside=False)
                return f"不满足（{phrase}）" if self.chinese else f"not ({phrase})"
            case Comparison():
                return self.comparison(rule)

    def group(self, rules: tuple[Rule, ...], word: str, *, inside: bool) -> str:
        if len(rules) == 1:
            return self.rule(rules[0], inside=inside)
        parts = [self.rule(inner, inside=True) for inner in rules]
        phrase = word.join(map(_padded, parts)).strip() if self.chinese else f" {word} ".join(parts)
        if not inside:
            return phrase
        return f"（{phrase}）" if self.chinese else f"({phrase})"

    def comparison(self, test: Comparison) -> str:
        name = self.names.get(test.field, test.field)
        scalars = test.value if isinstance(test.value, tuple) else (test.value,)
        values = [self.value(test, each) for each in scalars]
        listed = ("、" if self.chinese else ", ").join(values)
        parts = {"name": name, "value": listed, "first": values[0], "last": values[-1]}
        if self.chinese:
            parts = {key: _padded(part) for key, part in parts.items()}
        return self.sentence(test).format(**parts).strip()

    def sentence(self, test: Comparison) -> str:
        """The pattern for this operator and kind of field."""
        if test.op is Op.KNOWN:
            return _KNOWN[self.language][test.value is True]
        special = {Kind.DATE: _DAY_WORDS, Kind.MULTI: _SEVERAL_WORDS}.get(test.type.kind, _WORDS)
        return special[self.language].get(test.op) or _WORDS[self.language][test.op]

    def value(self, test: Comparison, scalar: Scalar) -> str:
        match scalar:
            case bool():
                return ("是" if scalar else "否") if self.chinese else ("yes" if scalar else "no")
            case DaysFromToday(days):
                return self.day(days)
            case Decimal():
                return self.number(test.field, scalar)
            case date():
                return scalar.isoformat()
            case str():
                return self.names.get(f"{test.field}={scalar}", scalar)

    def day(self, days: int) -> str:
        if days == 0:
            return "今天" if self.chinese else "today"
        if self.chinese:
            return f"{-days} 天前" if days < 0 else f"{days} 天后"
        unit = "day" if abs(days) == 1 else "days"
        return f"{-days} {unit} ago" if days < 0 else f"{days} {unit} from now"


def _plain(_field: str, number: Decimal) -> str:
    return format(number.normalize(), f"{',' if abs(number) >= 10_000 else ''}f")


def _padded(part: str) -> str:
    """Chinese with a space on the sides where letters or digits would touch it."""
    left = " " if (part[:1].isascii() and part[:1].isalnum()) or part[:1] in {"-", "−"} else ""
    right = " " if part[-1:].isascii() and (part[-1:].isalnum() or part[-1:] == "%") else ""
    return f"{left}{part}{right}"

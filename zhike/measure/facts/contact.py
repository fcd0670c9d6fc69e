"""Facts about the contact between customer and company."""

from zhike.kit.ruletrees import Kind
from zhike.measure.facts.fact import Fact, Source, Unit

CONTACT_FACTS = (
    Fact(
        "last_touch",
        Kind.DATE,
        Unit.DAY,
        "上次触达",
        "Last touch",
        "最近一次真正联系上的日期，不论谁找谁；未接通和留言不算。",
        "The latest day on which customer and company reached each other; calls without an answer do not count.",
        Source.INTERACTIONS,
        "MAX(day) FILTER (reached)",
    ),
    Fact(
        "days_since_touch",
        Kind.INTEGER,
        Unit.DAYS,
        "距上次触达",
        "Days since last touch",
        "距上次触达的天数。",
        "Days since the last touch.",
        Source.WIDE,
        "$today - last_touch",
    ),
    Fact(
        "next_touch",
        Kind.DATE,
        Unit.DAY,
        "下次触达",
        "Next touch",
        "按运营方案最近一次应触达的日期。",
        "The earliest day on which the plan asks for a touch.",
        Source.GIVEN,
        "MIN(next_touch)",
    ),
    Fact(
        "interactions_90d",
        Kind.INTEGER,
        Unit.TIMES,
        "近 90 天沟通",
        "Interactions, 90 days",
        "近 90 天的沟通次数，包括未接通。",
        "Interactions within 90 days, unanswered ones too.",
        Source.INTERACTIONS,
        "COUNT(*) FILTER (day >= $today - 90)",
        otherwise="0",
    ),
    Fact(
        "last_nps",
        Kind.INTEGER,
        Unit.NONE,
        "最近 NPS 评分",
        "Last NPS answer",
        "最近一次 NPS 回答，0–10。",
        "The latest answer to the NPS question, 0 to 10.",
        Source.ANSWERS,
        "ARG_MAX(nps, {'a': \"at\", 'b': id})",
    ),
)

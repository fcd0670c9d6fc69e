"""Facts about what customers say."""

from zhike.kit.ruletrees import Kind
from zhike.measure.facts.fact import Fact, Source, Unit

SENTIMENTS = {
    "negative": ("负面", "Negative"),
    "neutral": ("中性", "Neutral"),
    "positive": ("正面", "Positive"),
}

FEEDBACK_FACTS = (
    Fact(
        "negative_feedback_90d",
        Kind.INTEGER,
        Unit.TIMES,
        "近 90 天负面反馈",
        "Negative feedback, 90 days",
        "近 90 天里客户说的、判为负面的话有几条；没有把握的不算，同事改过的以同事为准。",
        "Texts of the customer within 90 days that are negative; unsure ones do not count, a colleague's word wins.",
        Source.NIGHTLY,
        otherwise="0",
    ),
    Fact(
        "last_sentiment",
        Kind.CHOICE,
        Unit.NONE,
        "最近一次反馈的情绪",
        "Last sentiment",
        "客户最近一条有把握的反馈的情绪：negative 负面、neutral 中性、positive 正面；没有的为空。",
        "The sentiment of the customer's latest text that is sure: negative, neutral or positive; unknown without one.",
        Source.NIGHTLY,
        choices=tuple(SENTIMENTS),
        named=SENTIMENTS,
    ),
)

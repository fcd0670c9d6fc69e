"""Facts that the plan's yardsticks give: lifecycle stage, health, tier."""

from zhike.kit.ruletrees import Kind
from zhike.measure.facts.fact import Fact, Source, Unit

STAGES = ("onboarding", "growth", "maturity", "decline", "churned", "won_back")
STAGE_NAMES = {
    "onboarding": ("引入", "Onboarding"),
    "growth": ("成长", "Growing"),
    "maturity": ("成熟", "Mature"),
    "decline": ("衰退", "Declining"),
    "churned": ("流失", "Churned"),
    "won_back": ("挽回", "Won back"),
}
BANDS = ("healthy", "warning", "risk")
BAND_NAMES = {"healthy": ("健康", "Healthy"), "warning": ("预警", "At watch"), "risk": ("高风险", "High risk")}


def _part(key: str, zh: str, en: str) -> Fact:
    return Fact(
        f"health_{key}",
        Kind.NUMBER,
        Unit.POINTS,
        f"健康分：{zh}",
        f"Health: {en.lower()}",
        f"{zh}在健康分里贡献的分数；各项相加正好等于健康分；没有数据的为空，权重分给其他项。",
        f"The points that {en.lower()} adds to the health score; the parts add up to it exactly. Unknown without data, "
        "its weight then goes to the others.",
        Source.HEALTH,
    )


LIFECYCLE_FACTS = (
    Fact(
        "stage",
        Kind.CHOICE,
        Unit.NONE,
        "生命周期",
        "Lifecycle stage",
        "引入、成长、成熟、衰退、流失或挽回，按方案的规则。",
        "Onboarding, growing, mature, declining, churned or won back, by the rules of the plan.",
        Source.LIFECYCLE,
        choices=STAGES,
        named=STAGE_NAMES,
    ),
    Fact(
        "stage_since",
        Kind.DATE,
        Unit.DAY,
        "进入阶段",
        "In stage since",
        "进入当前生命周期阶段的日期。",
        "The day the customer entered the stage.",
        Source.LIFECYCLE,
    ),
)

HEALTH_FACTS = (
    Fact(
        "health",
        Kind.NUMBER,
        Unit.POINTS,
        "健康分",
        "Health",
        "0–100 分，各项按方案的权重合成；一项数据都没有的为空。",
        "0 to 100, the parts weighted by the plan; unknown when no part has data.",
        Source.HEALTH,
    ),
    Fact(
        "health_band",
        Kind.CHOICE,
        Unit.NONE,
        "健康等级",
        "Health band",
        "健康、预警或高风险，界限见方案。",
        "Healthy, at watch or high risk, by the limits of the plan.",
        Source.HEALTH,
        choices=BANDS,
        named=BAND_NAMES,
    ),
    _part("usage", "产品使用", "Usage"),
    _part("breadth", "功能广度", "Breadth"),
    _part("relationship", "关系触达", "Relationship"),
    _part("commercial", "商务履约", "Commercial"),
    _part("feedback", "客户反馈", "Feedback"),
    Fact(
        "health_30d_ago",
        Kind.NUMBER,
        Unit.POINTS,
        "30 天前健康分",
        "Health 30 days ago",
        "30 天前留存的健康分，取前后 7 天内最近的一天；没有留存的为空。",
        "The health kept 30 days ago, or on the nearest day within a week of that; unknown when none was kept.",
        Source.HEALTH,
    ),
    Fact(
        "health_change_30d",
        Kind.NUMBER,
        Unit.POINTS,
        "健康分变化，30 天",
        "Health change, 30 days",
        "健康分与 30 天前相比，−13 即下降 13 分。",
        "Health against 30 days ago: −13 is 13 points less.",
        Source.HEALTH,
    ),
)

TIER_FACTS = (
    Fact(
        "tier",
        Kind.TEXT,
        Unit.NONE,
        "客户层级",
        "Tier",
        "按方案的层级规则，例如核心、重点、潜力、一般。",
        "By the tier rules of the plan, such as core, key, growth and standard.",
        Source.TIERS,
    ),
)

"""Facts about the use of the product: windows of whole days of the company's time zone that end yesterday.

During the day they take in today's events as well; what belongs to today is 0 days ago.
"""

from zhike.kit.ruletrees import Kind
from zhike.measure.facts.fact import Fact, Source, Unit


def _window(days: int) -> tuple[Fact, Fact, Fact]:
    """Return usage within the last days, within as many days before, and the change."""
    now, before = f"usage_{days}d", f"usage_prev_{days}d"
    return (
        Fact(
            now,
            Kind.INTEGER,
            Unit.TIMES,
            f"近 {days} 天使用",
            f"Usage, {days} days",
            f"近 {days} 天的使用次数。",
            f"Usage events within {days} days.",
            Source.USAGE,
            f"SUM(now_{days})",
            otherwise="0",
        ),
        Fact(
            before,
            Kind.INTEGER,
            Unit.TIMES,
            f"前 {days} 天使用",
            f"Usage, {days} days before",
            f"再往前 {days} 天的使用次数。",
            f"Usage events within the {days} days before those.",
            Source.USAGE,
            f"SUM(before_{days})",
            otherwise="0",
        ),
        Fact(
            f"usage_change_{days}d",
            Kind.NUMBER,
            Unit.SHARE,
            f"使用变化，{days} 天",
            f"Usage change, {days} days",
            f"近 {days} 天与前 {days} 天相比，−0.7 即下降 70%；之前没有使用的为空。",
            f"Against the {days} days before: −0.7 is 70% less; unknown without usage before.",
            Source.WIDE,
            f"({now} - {before}) / NULLIF({before}, 0)",
        ),
    )


USAGE_FACTS = (
    *_window(30),
    *_window(90),
    Fact(
        "users_30d",
        Kind.INTEGER,
        Unit.PEOPLE,
        "活跃人数",
        "Active users",
        "近 30 天里见到的不同使用者人数；导入的使用记录只给人数不给人，取其中单行最多的人数，两者取大。",
        "Different people seen within 30 days. Imported usage names nobody, of it counts the largest number of people "
        "that one row gives. The greater of both.",
        Source.USAGE,
        "MAX(users_30)",
        otherwise="0",
    ),
    Fact(
        "active_days_30d",
        Kind.INTEGER,
        Unit.DAYS,
        "活跃天数",
        "Active days",
        "近 30 天里有使用的天数。",
        "Days with usage among the last 30.",
        Source.USAGE,
        "MAX(days_30)",
        otherwise="0",
    ),
    Fact(
        "active_weeks_13w",
        Kind.INTEGER,
        Unit.WEEKS,
        "活跃周数",
        "Active weeks",
        "近 13 周（截至昨天，每 7 天一周）里有使用的周数。",
        "Weeks with usage among the last 13; a week is seven days, the latest ends yesterday.",
        Source.USAGE,
        "MAX(weeks_13w)",
        otherwise="0",
    ),
    Fact(
        "logins_per_week",
        Kind.NUMBER,
        Unit.TIMES,
        "每周登录",
        "Log-ins a week",
        "近 13 周平均每周登录次数，合作不足 13 周的按实际周数；"
        "方案没有指明登录事件，或全公司都没有这些事件时，有使用的一天算一次。",
        "Log-ins a week over 13 weeks, or over the weeks since the customer joined; where the plan names no log-in "
        "events, or nobody has any of them, a day with usage counts as one.",
        Source.WIDE,
        "logins / GREATEST(1, LEAST(13, COALESCE(($today - COALESCE(joined, first_sign)) / 7, 13)))",
    ),
    Fact(
        "features_30d",
        Kind.INTEGER,
        Unit.FEATURES,
        "近 30 天功能数",
        "Features, 30 days",
        "近 30 天用过的功能数。",
        "Different features used within 30 days.",
        Source.USAGE,
        "MAX(features_30)",
        otherwise="0",
    ),
    Fact(
        "features_ever",
        Kind.INTEGER,
        Unit.FEATURES,
        "用过的功能数",
        "Features ever",
        "至今用过的功能数。",
        "Different features used so far.",
        Source.USAGE,
        "MAX(features_ever)",
        otherwise="0",
    ),
    Fact(
        "last_usage",
        Kind.DATE,
        Unit.DAY,
        "最近使用",
        "Last usage",
        "最近一次使用的日期。",
        "The latest day with usage.",
        Source.USAGE,
        "MAX(last_day)",
    ),
    Fact(
        "days_since_usage",
        Kind.INTEGER,
        Unit.DAYS,
        "距上次使用",
        "Days since usage",
        "距最近一次使用的天数；昨天用过为 1。",
        "Days since the latest usage; yesterday is 1.",
        Source.WIDE,
        "$today - last_usage",
    ),
)

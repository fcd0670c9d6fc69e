"""Invented figures for the components page; the same story as the mock-ups, on Thursday 2026-03-12."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

from django import forms

from zhike.ui.nav import Nav, NavGroup, NavItem

TODAY = date(2026, 3, 12)
BEIJING = timezone(timedelta(hours=8))
TOKENS = [
    *("paper", "surface", "raised", "sunken", "press", "line", "line-2", "line-3"),
    *("ink", "ink-2", "ink-3", "ink-4", "accent", "accent-mid", "accent-line", "accent-soft"),
    *("ok", "ok-ink", "ok-soft", "warn", "warn-ink", "warn-soft", "risk", "risk-ink"),
    *("risk-soft", "c1", "c2", "c3", "c4", "c5", "grid", "focus"),
]
TIERS = [("core", "核心", 1), ("key", "重点", 2), ("growth", "潜力", 3), ("standard", "一般", 4)]
STAGES = [("onboarding", "引入", 1), ("growing", "成长", 2), ("mature", "成熟", 3), ("declining", "衰退", 4)]
HEALTH = [76, 76, 77, 78, 78, 77, 79, 79, 80, 79, 80, 79, 78, 78, 79, 78, 77, 76, 75, 74, 74, 72, 71, 66, 61, 58]
WEEKS = [(date(2026, 3, 9) - timedelta(weeks=25 - n)) for n in range(26)]
LOADS = {"何婉清": (42.5, 35.4), "周砚": (39.1, 33.0), "赵一鸣": (35.6, 31.2), "林知夏": (34.2, 31.8)}


class SampleForm(forms.Form):
    """A form with one of everything, bound to answers of which one is refused."""

    cadence = forms.CharField(label="触达节奏", help_text="182 家客户受影响")
    goal = forms.CharField(label="跟进目标")
    tier = forms.ChoiceField(label="级别", choices=[(key, name) for key, name, _ in TIERS])
    auto = forms.BooleanField(label="自动降级", required=False)
    why = forms.CharField(label="理由", required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def clean_goal(self) -> str:
        raise forms.ValidationError("过去 26 周最高 91%，请填 92% 以下或补充理由")


def _nav() -> Nav:
    groups = (
        NavGroup(
            "记录",
            "完整率 96%",
            (NavItem("客户", "#", "users", "1,204", go="c"), NavItem("沟通记录", "#", "log")),
            "on",
        ),
        NavGroup("度量", "今日 06:10 更新", (NavItem("健康分", "#", "health"), NavItem("旅程图", "#", "journey"))),
        NavGroup("决策", "v12 执行中", (NavItem("运营方案", "#", "plan", "v13 草案", go="p"),)),
        NavGroup("行动", "本周 32 / 36 次", (NavItem("服务", "#", "service", "9"), NavItem("玩法", "#", "play", "9"))),
        NavGroup("评估", "明天 10:00 到期", (NavItem("月度评估", "#", "review"),), "due"),
    )
    today = NavItem("今日", "#", "today", badge="23", go="t", id="nav-today")
    return Nav(today, groups, (NavItem("设置", "#", "settings"), NavItem("林知夏", "#", "me", "客户成功")))


def _customers() -> list[dict[str, Any]]:
    def row(name: str, score: int, band: str, arr: float, currency: str, days: int, channel: str) -> dict[str, Any]:
        history = [score + (25 - n) * (70 - score) / 40 for n in range(26)]
        place = score % 4
        return {
            "name": name,
            "score": score,
            "band": band,
            "tier": TIERS[place],
            "stage": STAGES[place],
            "series": history,
            "touched": TODAY - timedelta(days=days),
            "channel": channel,
            "arr": arr,
            "currency": currency,
            "owner": "林知夏",
        }

    return [
        row("禾木餐饮连锁", 41, "risk", 146_000, "CNY", 9, "phone"),
        row("Lumenfield GmbH", 63, "warn", 41_000, "EUR", 4, "email"),
        row("启元生物", 86, "ok", 420_000, "CNY", 40, "visit"),
    ]


def _charts() -> dict[str, Any]:
    weeks = [f"{day.month}/{day.day}" for day in WEEKS]
    limits = [{"value": 80, "band": "ok"}, {"value": 60, "band": "risk"}]
    series = [{"name": "健康分", "values": HEALTH, "color": "ink", "end": "risk"}]
    marks = [{"at": 21, "name": "2/14 管理员离职"}]
    line = {"kind": "line", "unit": "分", "x": weeks, "min": 50, "max": 90, "interval": 10, "series": series}
    bar = {
        "kind": "bar",
        "across": True,
        "unit": "次",
        "x": list(LOADS),
        "series": [{"name": "v13", "values": [now for now, _ in LOADS.values()]}],
        "ticks": [before for _, before in LOADS.values()],
        "limits": [{"value": 36, "name": "容量 36"}],
        "max": 48,
        "interval": 12,
    }
    return {"line": line | {"limits": limits, "marks": marks}, "bar": bar}


def _jobs() -> dict[str, Any]:
    running = {
        "id": 81,
        "title": "试算 v13",
        "step": "回放第 17 / 26 周",
        "percent": 65,
        "left": "约 16 秒",
        "state": "running",
        "url": "/jobs/81",
        "cancel_url": "/jobs/81/cancel",
        "poll_seconds": 3600,
    }
    failed = {
        "id": 82,
        "title": "导入客户",
        "state": "failed",
        "error": "第 312 行：编码不是 GB18030。什么都没有写入。",
    }
    return {"running": running, "failed": failed | {"link": "看文件", "link_url": "#main"}}


def _kpis() -> list[dict[str, Any]]:
    return [
        {"label": "健康分", "value": 58, "unit": "分", "comparison": "30 天前 71，−13", "band": "risk"},
        {"label": "年费", "value": "¥38.6 万", "comparison": "同比 +6%，占我的 3.4%"},
        {"label": "续约", "value": "74 天", "comparison": "5 月 25 日，谈判未启动"},
        {"label": "周活跃席位", "value": 17, "unit": "/ 50 席", "comparison": "30 天前 42，−60%"},
        {"label": "有效触达", "value": "26 天前", "comparison": "节奏 7 天，超 19 天"},
    ]


def sample_context() -> dict[str, Any]:
    """Return everything the components page shows."""
    form = SampleForm({"cadence": "21 天", "goal": "99%", "tier": "key", "auto": "on"})
    form.is_valid()
    days = (0, -1, 1, -26, 5, -90)
    return {
        "nav": _nav(),
        "company": {"name": "云舟科技", "seal": "知"},
        "staff": "林知夏",
        "mei": "林知夏",
        "today": TODAY,
        "tokens": TOKENS,
        "form": form,
        "tiers": TIERS,
        "stages": STAGES,
        "channels": ["phone", "wecom", "email", "sms", "meeting", "visit"],
        "days": [datetime(2026, 3, 12, 11, 30, tzinfo=BEIJING), *(TODAY + timedelta(days=n) for n in days)],
        "rising": [70, 71, 72, 71, 73, 75, 78, 80, 83],
        "falling": [78, 76, 78, 74, 72, 70, 68, 66],
        "dropping": [79, 79, 78, 77, 76, 73, 66, 61, 58],
        "noise": [80, 81, None, 80, 79, 80],
        "weights": [(35, 42, "risk"), (20, 66, "warn"), (20, 71, "warn"), (15, 70, "warn"), (10, 54, "risk")],
        "deadline": "",
        "kpis": _kpis(),
        "customers": _customers(),
        **_charts(),
        **_jobs(),
    }

"""The customers and colleagues whom the pictures of the product show by name, and what befalls them."""

from dataclasses import dataclass

TEAMS = ("大客户一组", "大客户二组", "规模运营组")


@dataclass(frozen=True)
class Colleague:
    key: str
    name: str
    role: str
    team: str
    load: tuple[float, float, float, float] = (0, 0, 0, 0)
    """This person's share of the core, key, potential and general customers, before dividing by the sum."""

    @property
    def email(self) -> str:
        return f"{self.key}@yunzhou.example"


COLLEAGUES = (
    Colleague("admin", "系统管理员", "admin", ""),
    Colleague("shen.ruolan", "沈若岚", "lead", TEAMS[0]),
    Colleague("lin.zhixia", "林知夏", "csm", TEAMS[0], (10, 20, 23, 2)),
    Colleague("zhou.yan", "周砚", "csm", TEAMS[0], (12, 36, 32, 10)),
    Colleague("gao.yuan", "高远", "csm", TEAMS[0], (8, 24, 36, 20)),
    Colleague("emma.clarke", "Emma Clarke", "csm", TEAMS[1], (6, 22, 30, 15)),
    Colleague("zhao.yiming", "赵一鸣", "csm", TEAMS[1], (10, 30, 36, 20)),
    Colleague("he.wanqing", "何婉清", "csm", TEAMS[1], (12, 36, 40, 20)),
    Colleague("su.he", "苏禾", "csm", TEAMS[2], (0, 4, 34, 170)),
    Colleague("chen.nian", "陈念", "csm", TEAMS[2], (0, 3, 34, 190)),
    Colleague("sun.yu", "孙屿", "csm", TEAMS[2], (0, 3, 33, 200)),
)
CSMS = tuple(one for one in COLLEAGUES if one.role == "csm")


@dataclass(frozen=True)
class Known:
    """A customer of the story. `yearly` is in its own currency; `renews_in` days after the last day."""

    name: str
    industry: str
    city: str
    stratum: int
    yearly: float
    owner: str
    months_with_us: int
    renews_in: int
    blows: tuple[tuple[str, int, float], ...] = ()
    """Bad things that happen: kind, how many days before the end, size on the scale of the model."""
    calm: float = 0.0
    """Satisfaction above (or below) what a customer like this usually has."""


CORE, KEY, POTENTIAL, GENERAL = range(4)
_LIN, _ZHOU, _HE, _ZHAO = "lin.zhixia", "zhou.yan", "he.wanqing", "zhao.yiming"
_EMMA, _CHEN = "emma.clarke", "chen.nian"

KNOWN = (
    Known(
        "澜庭家居", "家居零售", "杭州", CORE, 386_000, _LIN, 38, 74, (("champion_left", 33, 4.0), ("service", 12, 0.9))
    ),
    Known("启元生物", "生物", "上海", CORE, 420_000, _LIN, 31, 148, calm=0.8),
    Known("长青药房连锁", "医药零售", "武汉", CORE, 335_000, _LIN, 34, 68, calm=0.5),
    Known("云麓酒店集团", "酒店", "昆明", CORE, 520_000, _ZHAO, 42, 29, (("product", 14, 0.8),)),
    Known("远帆物流", "物流", "宁波", KEY, 210_000, _LIN, 29, 37, (("product", 3, 0.9),)),
    Known("恒泽精密制造", "制造", "苏州", KEY, 182_000, _LIN, 36, 19, calm=0.3),
    Known("Lumenfield GmbH", "制造", "慕尼黑", KEY, 41_000, _LIN, 10, 85, (("product", 30, 3.0),)),
    Known("鹭岛餐饮", "餐饮", "厦门", KEY, 158_000, _LIN, 11, 79),
    Known(
        "禾木餐饮连锁", "餐饮", "长沙", KEY, 146_000, _ZHOU, 25, 23, (("service", 110, 1.6), ("price", 30, 1.4)), -0.6
    ),
    Known("Northgate Retail Ltd.", "家居零售", "曼彻斯特", KEY, 16_800, _EMMA, 22, 58, (("product", 34, 2.0),)),
    Known("汇澄机电", "制造", "苏州", KEY, 129_000, _ZHOU, 27, 44, (("service", 30, 0.7),)),
    Known("橙果教育", "教育", "成都", POTENTIAL, 64_000, _LIN, 10, 52, (("product", 16, 0.8),)),
    Known("海拓跨境", "贸易", "深圳", POTENTIAL, 92_000, _LIN, 14, 45, calm=1.0),
    Known("澄海智造", "制造", "汕头", POTENTIAL, 52_000, _LIN, 10, 61),
    Known(
        "博远人力", "人力服务", "合肥", POTENTIAL, 58_000, _HE, 19, 41, (("competitor", 120, 1.8), ("budget", 50, 1.2))
    ),
    Known("南桥纸业", "制造", "泉州", POTENTIAL, 41_000, _HE, 22, 66, (("budget", 100, 2.4),), -0.4),
    Known("青禾农业科技", "农业", "石家庄", POTENTIAL, 72_000, _ZHAO, 2, 305),
    Known("星屿传媒", "传媒", "长沙", POTENTIAL, 69_000, _HE, 1, 335),
    Known("瑞禾检测", "生物", "天津", POTENTIAL, 83_000, _ZHAO, 10, 82, calm=0.4),
    Known("明溪口腔", "医疗", "福州", POTENTIAL, 77_000, _ZHOU, 10, 71, calm=0.4),
    Known("铭川五金", "制造", "佛山", POTENTIAL, 36_000, _CHEN, 16, 175, (("champion_left", 32, 3.0),)),
    Known("和顺粮油", "农业", "济南", POTENTIAL, 34_000, _CHEN, 20, 130, (("competitor", 44, 3.0),)),
    Known("蓝天幼教", "教育", "南昌", GENERAL, 9_600, "sun.yu", 15, 210, (("champion_left", 34, 3.0),)),
    Known("栖木设计", "传媒", "杭州", GENERAL, 7_200, "su.he", 17, 210),
)
# Customer: name, job title and role of its people, the one to talk to first.
PEOPLE = {
    "澜庭家居": (
        ("周敏", "运营总监", "decision_maker"),
        ("顾小满", "培训主管", "user"),
        ("沈岩", "财务经理", "finance"),
        ("何立", "原系统管理员", "technical"),
    ),
    "远帆物流": (("李婷", "财务经理", "finance"), ("郑航", "信息部经理", "decision_maker")),
    "恒泽精密制造": (("吴建国", "采购经理", "decision_maker"), ("唐俊杰", "计划主管", "user")),
    "启元生物": (("方思远", "质量总监", "decision_maker"), ("许佳琪", "批次管理员", "user")),
    "Lumenfield GmbH": (("Jonas Keller", "Head of Operations", "decision_maker"),),
    "Northgate Retail Ltd.": (("Kate Hughes", "Store Systems Lead", "decision_maker"),),
}

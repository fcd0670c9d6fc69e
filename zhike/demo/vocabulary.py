"""Words from which invented companies and people are put together. Any likeness to a real one is chance."""

INDUSTRIES: dict[str, tuple[str, ...]] = {
    "家居零售": ("家居", "家具", "家纺", "软装"),
    "餐饮": ("餐饮", "餐饮连锁", "茶饮", "食品"),
    "物流": ("物流", "供应链", "冷链", "快运"),
    "制造": ("精密制造", "智造", "机电", "五金", "纸业", "电气"),
    "教育": ("教育", "幼教", "研学", "职业学校"),
    "医疗": ("口腔", "医疗", "体检", "中医"),
    "医药零售": ("药房连锁", "大药房", "医药"),
    "生物": ("生物", "生物科技", "检测"),
    "酒店": ("酒店集团", "酒店管理", "民宿"),
    "贸易": ("贸易", "跨境", "进出口", "商贸"),
    "农业": ("农业科技", "粮油", "果业", "牧业"),
    "传媒": ("传媒", "文化", "设计", "会展"),
    "人力服务": ("人力", "人力服务", "咨询"),
    "信息服务": ("信息", "数科", "软件", "网络"),
}
OPEN_AT_WEEKENDS = frozenset({"家居零售", "餐饮", "医药零售", "酒店"})

FIRST = "澜远恒橙启鹭长海澄禾博南青汇云星瑞明蓝绿铭栖和朗景安嘉宏润泽沐锦钧翰卓晟辰旭佳悦彤思诺拓"
SECOND = "庭帆泽果元屿拓木桥禾澄麓溪林川润峰瑞和辉芯舟谷岚汐珩岩野陌田石"

CITIES = (
    "杭州", "宁波", "苏州", "成都", "厦门", "武汉", "长沙", "合肥", "泉州", "石家庄", "汕头", "昆明", "天津", "福州",
    "上海", "北京", "深圳", "广州", "南京", "青岛", "西安", "重庆", "郑州", "佛山", "东莞", "无锡", "济南", "沈阳",
    "大连", "南昌", "贵阳", "南宁", "哈尔滨", "太原", "温州", "绍兴", "嘉兴", "常州", "珠海", "中山",
)  # fmt: skip

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢傅钟姜"
)
GIVEN = (
    "敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰鑫宇浩然子涵欣怡梓轩雨桐思远晓婷佳琪志强建国文博俊杰雅芳海燕天宇若曦"
)

FOREIGN_FIRST = (
    "Anna",
    "Ben",
    "Clara",
    "Daniel",
    "Eva",
    "Felix",
    "Grace",
    "Henry",
    "Ida",
    "Jonas",
    "Kate",
    "Leo",
    "Mia",
    "Oliver",
)
FOREIGN_LAST = (
    "Bauer",
    "Clarke",
    "Davies",
    "Fischer",
    "Hughes",
    "Keller",
    "Lewis",
    "Moreau",
    "Novak",
    "Schmidt",
    "Turner",
    "Wagner",
)
FOREIGN_STEMS = (
    "Alder", "Birch", "Corven", "Dunmere", "Elstow", "Farrow", "Glenrow", "Halden", "Ivering", "Juniper", "Kestrel",
    "Larkfield", "Marlow", "Norvale", "Oakhurst", "Pellworm", "Quarrow", "Ravensby", "Silverne", "Thornbury",
    "Ulmenhof", "Vellmar", "Wexcombe",
)  # fmt: skip
# Country: (currency, cities, endings of a company's name, telephone pattern kept free for films and books)
COUNTRIES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    "德国": ("EUR", ("慕尼黑", "汉堡", "斯图加特"), ("GmbH", "Handels GmbH", "Technik GmbH"), "+49 30 23125 {:03d}"),
    "英国": ("GBP", ("曼彻斯特", "伦敦", "利兹"), ("Ltd.", "Retail Ltd.", "Foods Ltd."), "+44 20 7946 {:04d}"),
}
FOREIGN_CITIES = {city: country for country, (_, cities, _, _) in COUNTRIES.items() for city in cities}
RATES = {"EUR": 7.85, "GBP": 9.12}

LOGIN = "login"
# Feature: (share of customers who ever take it up, share of days on which its work comes up, share of the day's users
# who then use it, events per user)
FEATURES: dict[str, tuple[float, float, float, float]] = {
    "门店报表": (0.85, 0.35, 0.35, 2.2),
    "销售看板": (0.80, 0.40, 0.35, 2.6),
    "采购订单": (0.70, 0.22, 0.30, 3.0),
    "移动盘点": (0.62, 0.12, 0.35, 6.0),
    "调拨单": (0.58, 0.16, 0.25, 3.4),
    "会员管理": (0.55, 0.25, 0.25, 3.1),
    "对账单": (0.52, 0.12, 0.30, 1.6),
    "审批流": (0.48, 0.30, 0.25, 2.0),
    "数据导出": (0.45, 0.14, 0.20, 1.3),
    "移动巡店": (0.38, 0.18, 0.25, 2.4),
    "批次追溯": (0.28, 0.16, 0.25, 2.0),
    "排产计划": (0.24, 0.20, 0.25, 2.2),
    "开放接口": (0.20, 0.25, 0.10, 9.0),
    "培训课堂": (0.35, 0.06, 0.30, 1.2),
}

# Product number: (name, category), in the order of the strata of the book
PRODUCTS: dict[str, tuple[str, str]] = {
    "YZ-ULT": ("云舟旗舰版", "订阅"),
    "YZ-PRO": ("云舟专业版", "订阅"),
    "YZ-STD": ("云舟标准版", "订阅"),
    "YZ-BAS": ("云舟基础版", "订阅"),
}
EXTRAS = (
    ("SV-ONB", "上线实施服务", 12000.0),
    ("SV-TRN", "门店复训（半天）", 3800.0),
    ("SV-RPT", "报表定制", 6800.0),
    ("HW-PDA", "盘点手持机", 1690.0),
)

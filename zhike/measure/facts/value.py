"""Facts that models say once a night: what a customer is worth, what to offer next, what it looks for."""

from zhike.kit.ruletrees import Kind
from zhike.measure.facts.fact import Fact, Source, Unit

NEED_NAMES = {"product": ("产品", "Product"), "price": ("价格", "Price"), "service": ("服务", "Service")}
NEEDS = tuple(NEED_NAMES)

VALUE_FACTS = (
    Fact(
        "churn_probability",
        Kind.NUMBER,
        Unit.SHARE,
        "流失概率",
        "Churn probability",
        "客户在方案规定的期限内流失的概率（流失的含义由方案规定），由保留的每日数据学得并校准；已流失的客户、数据撑不起模型时为空。",
        "The probability that the customer leaves within the horizon of the plan, which says what leaving means; "
        "learnt from kept days and calibrated; unknown of those who have left, and while the data carry no score.",
        Source.NIGHTLY,
    ),
    Fact(
        "p_alive",
        Kind.NUMBER,
        Unit.SHARE,
        "仍活跃的概率",
        "Probability alive",
        "还会再买的概率：在约的订阅客户为 1，到期未续的为 0，其余按购买历史由模型估计；数据撑不起模型时为空。",
        "The probability that the customer will buy again: 1 while a subscription runs, 0 after one ended without "
        "renewal, otherwise estimated from past purchases; unknown when the data carry no model.",
        Source.NIGHTLY,
    ),
    Fact(
        "expected_orders_12m",
        Kind.NUMBER,
        Unit.TIMES,
        "未来 12 个月预计下单",
        "Expected orders, 12 months",
        "模型预计的未来 12 个月下单次数；没有下过单或数据撑不起模型时为空。",
        "Orders that the model expects within the next 12 months; unknown without an order so far or without a model.",
        Source.NIGHTLY,
    ),
    Fact(
        "clv",
        Kind.MONEY,
        Unit.MONEY,
        "客户终身价值",
        "Customer lifetime value",
        "从今天起、方案规定的期限内预计的毛利，折现到今天：预计下单 × 单价，加预计续约的订阅费，再乘毛利率。",
        "The margin expected from today on within the horizon of the plan, discounted to today: expected orders times "
        "expected spend, plus the fees of subscriptions as far as they are expected to be renewed.",
        Source.NIGHTLY,
    ),
    Fact(
        "clv_to_cac",
        Kind.NUMBER,
        Unit.RATIO,
        "价值与获客成本之比",
        "Value to acquisition cost",
        "客户终身价值是获客成本的多少倍；没有登记获客成本的为空。",
        "How many times the lifetime value covers the acquisition cost; unknown without a cost on record.",
        Source.NIGHTLY,
    ),
    Fact(
        "next_offer",
        Kind.TEXT,
        Unit.NONE,
        "下一个推荐",
        "Next offer",
        "最适合向客户推荐的：product:产品编号、feature:功能名（同类客户在用、该客户从未用过），"
        "或 seats（席位快用满，建议增购）；已标记“不合适”的不再推荐。",
        "What to offer next: product:NUMBER, feature:NAME (used by customers alike, never tried by this one), or seats "
        "where those paid for are nearly used up; what a colleague found unfit is not offered again.",
        Source.NIGHTLY,
        length=120,
    ),
    Fact(
        "need_orientation",
        Kind.CHOICE,
        Unit.NONE,
        "需求导向",
        "Need orientation",
        "客户最看重什么：产品、价格或服务，由购买、使用和沟通内容判断；人工填写的优先；看不出的为空。",
        "What the customer looks for first: product, price or service, from what it buys, uses and says; a colleague's "
        "word wins; unknown when nothing speaks clearly.",
        Source.NIGHTLY,
        choices=NEEDS,
        named=NEED_NAMES,
    ),
    Fact(
        "need_reason",
        Kind.TEXT,
        Unit.NONE,
        "需求导向的依据",
        "Why this orientation",
        "判断需求导向的依据，例如 discount=0.23;words=5；stated 为人工填写。",
        "The signs behind the need orientation, such as discount=0.23;words=5; stated where a colleague said so.",
        Source.NIGHTLY,
        length=120,
    ),
)

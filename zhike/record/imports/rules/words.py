"""Words that files use for the choices we keep, in both languages."""

import re
import unicodedata

_BETWEEN = re.compile(r"[\s_\-./·:：()（）\[\]#*]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def folded(text: str) -> str:
    """Return a word as it is compared: full-width forms plain, CamelCase split, case and punctuation gone."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain.isupper():
        plain = _CAMEL.sub(" ", plain)
    return _BETWEEN.sub(" ", plain).strip().casefold()


def _table(**choices: str) -> dict[str, str]:
    return {folded(word): key for key, words in choices.items() for word in (key, *words.split("|"))}


CUSTOMER_KINDS = _table(
    organisation="organization|company|business|b2b|corporate|firm|enterprise|企业|公司|单位|机构|组织|企业客户|机构客户|法人",
    person="individual|consumer|private|b2c|human|个人|自然人|个人客户|消费者",
)
CHANNELS = _table(
    phone="call|telephone|tel|voice|phone call|电话|来电|去电|通话|打电话|语音",
    email="e-mail|mail|邮件|邮箱|电子邮件",
    wecom="wechat work|wechat|weixin|企业微信|企微|微信",
    dingtalk="钉钉",
    feishu="lark|飞书",
    chat="web chat|live chat|online chat|webchat|在线客服|在线咨询|网页咨询|聊天",
    sms="text message|text|短信",
    social="social media|twitter|x|facebook|linkedin|weibo|社交媒体|微博|小红书|抖音|公众号",
    meeting="video|video call|online meeting|demo|会议|视频会议|线上会议|腾讯会议|演示",
    visit="on site|onsite|in person|field visit|拜访|上门|上门拜访|走访|实地拜访|面谈",
    community="forum|group|社群|社区|群|微信群|论坛",
    in_app="in app|inapp|app|product|应用内|产品内|站内信|站内",
)
DIRECTIONS = _table(
    **{
        "in": "inbound|incoming|received|from customer|呼入|来电|进|客户发起|入站|接听|收",
        "out": "outbound|outgoing|sent|to customer|呼出|去电|出|我方发起|出站|拨打|发",
    }
)
ROLES = _table(
    decision_maker="decision maker|decider|ceo|owner|founder|president|director|general manager"
    "|决策人|决策者|总经理|董事长|老板|总裁|创始人|负责人",
    champion="advocate|sponsor|key user|支持者|内部推动者|关键人|推动人",
    user="end user|user|operator|使用人|使用者|用户|操作员",
    finance="cfo|accountant|accounting|billing|财务|会计|财务负责人|出纳|财务总监",
    technical="cto|it|engineer|developer|admin|administrator|tech|技术|技术负责人|系统管理员|管理员|工程师|it负责人",
    other="other|其他|其它",
)
CURRENCIES = {
    "¥": "CNY",
    "￥": "CNY",
    "RMB": "CNY",
    "人民币": "CNY",
    "元": "CNY",
    "$": "USD",
    "US$": "USD",
    "美元": "USD",
    "€": "EUR",
    "欧元": "EUR",
    "£": "GBP",
    "英镑": "GBP",
    "日元": "JPY",
    "港币": "HKD",
    "港元": "HKD",
    "HK$": "HKD",
    "新台币": "TWD",
    "韩元": "KRW",
}

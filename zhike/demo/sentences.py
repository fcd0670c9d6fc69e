"""What people write down after a talk: `{who}` is the contact, `{feature}` and `{other}` features, `{n}` a number."""

CHANNELS = (
    (("phone", 0.34), ("wecom", 0.30), ("meeting", 0.18), ("visit", 0.10), ("email", 0.08)),
    (("wecom", 0.44), ("phone", 0.30), ("meeting", 0.14), ("email", 0.12)),
    (("wecom", 0.56), ("phone", 0.26), ("email", 0.18)),
    (("email", 0.52), ("in_app", 0.28), ("wecom", 0.20)),
)
CHANNELS_IN = (("wecom", 0.46), ("chat", 0.24), ("phone", 0.18), ("email", 0.12))

ONBOARDING = (
    "欢迎电话：和{who}过了上线计划，先导主数据，再开账号，{n} 天内完成。",
    "首次培训完成，{n} 人参加，重点讲了「{feature}」；{who}要一份操作视频。",
    "{who}反馈数据导进来表头对不上，已帮着调好模板，重新导入成功。",
    "第 7 天回访：「{feature}」已经在用，「{other}」还没配，约下周一起配。",
    "确认了系统管理员人选，{who}负责日常，权限按门店分好了。",
)
REGULAR = (
    (
        "季度回顾：{who}认可本季成果，希望下季度把「{feature}」推到全部门店，纪要 {n} 条。",
        "和{who}对了路线图，他们关心「{feature}」的批量能力，已转产品排期。",
        "上门拜访，看了 {n} 家门店的实际用法，「{feature}」用得顺，「{other}」要再带一次。",
        "{who}说总部要看同业对标，答应下周给一份同规模企业的数据。",
        "例行沟通，使用稳定；{who}提到明年要扩 {n} 家店，扩容可以提前谈。",
    ),
    (
        "和{who}过了上月使用报告，「{feature}」提升明显，建议把「{other}」也用起来。",
        "回访：近期顺利，{who}问能不能按门店看「{feature}」，发了配置说明。",
        "分享同行用「{feature}」的案例，{who}有兴趣，约了 30 分钟演示。",
        "问了下半年计划，{who}说预算不变，可能再加 {n} 个席位。",
    ),
    (
        "介绍了新功能「{feature}」，{who}先试用，两周后回访。",
        "{who}说人手少，只用「{feature}」，发了 {n} 分钟的入门视频。",
        "例行问候，{who}没有问题；提醒「{other}」可以省下对账时间。",
    ),
    (
        "发了季度更新和「{feature}」课程链接。",
        "节前问候，附上常见问题，{who}已读。",
        "发送使用小结，提醒还没试过「{feature}」。",
    ),
)
RENEWAL = (
    "续约沟通：{who}在走内部审批，需要一份{n} 个月的使用成效。",
    "发了续约报价，{who}问能不能分两期付款，答复可以。",
    "和{who}确认续约范围，「{feature}」保留，席位再议。",
    "续约回顾会，{who}认可价值，对「{other}」有两点改进要求，已记录。",
)
CARE = {
    "product": (
        "就「{feature}」的问题给{who}道歉，给了临时方案和上线日期。",
        "和{who}、研发一起开会，「{feature}」下个版本修复，期间人工导出。",
    ),
    "service": (
        "{who}对响应慢有意见，说明了原因，安排专人跟进，每天同步一次。",
        "回访上次的投诉，{who}说这次处理还可以，希望以后不用催。",
    ),
    "champion_left": (
        "原管理员离职，和{who}确认交接人，约了 {n} 天后复训。",
        "致电{who}，未接通；企微留言说明交接和报表权限的事。",
    ),
    "price": (
        "{who}认为涨价偏高，用使用数据说明了省下的人工，提供付年付折扣。",
        "和{who}谈了 {n} 档方案，他要回去和老板商量。",
    ),
    "competitor": (
        "{who}在看另一家的产品，约了演示，对比了「{feature}」和迁移成本。",
        "给{who}发了同行从别家换回来的案例，等回复。",
    ),
    "budget": (
        "{who}说今年预算砍了，讨论了减席位、保留「{feature}」的方案。",
        "和{who}确认付款可以延后一个月，先不停用。",
    ),
}
COMPLAINTS = {
    "product": (
        "「{feature}」导出的数和页面上对不上，已经 {n} 天了，麻烦看一下。",
        "升级后「{feature}」很慢，门店都在抱怨。",
        "我们要的「{feature}」批量修改到底什么时候有？",
    ),
    "service": (
        "工单提了 {n} 天没人回，我们等着月结。",
        "同一个问题问了三次，每次都换人，要从头讲一遍。",
        "群里发消息半天没人应，能不能有个固定对接人。",
    ),
    "champion_left": (
        "我们原来的管理员走了，他的账号先别停，接手的人还没定。",
        "系统一直是前同事在管，现在没人会配「{feature}」。",
    ),
    "price": (
        "续费报价比去年高了不少，能不能解释一下？",
        "老板觉得涨得太多，让我们再比较比较。",
    ),
    "competitor": (
        "有别家找我们演示，价格低一些，你们「{feature}」能不能做到一样？",
        "总部在统一选型，可能会换系统，先跟您说一声。",
    ),
    "budget": (
        "今年预算压缩，可能要减席位，流程怎么走？",
        "这个季度回款紧，付款要晚 {n} 周。",
    ),
}
QUESTIONS = (
    "「{feature}」怎么按门店分组看？",
    "新来的同事要开 {n} 个账号，怎么操作？",
    "想把「{feature}」每天早上自动发到群里，可以吗？",
    "发票抬头要改一下，找谁？",
    "「{other}」导入模板能再发一份吗？",
    "谢谢，「{feature}」已经弄好了。",
    "有没有「{other}」的培训，想让 {n} 个人参加。",
)
ABROAD = (
    "Monthly check-in with {who}: usage is fine, asked for release notes in English.",
    "Walked {who} through last month's usage report; {n} new users next month.",
    "Renewal call with {who}: waiting for the budget round, will decide in {n} weeks.",
    "Sent {who} the English guide for the reports and invited the team to the user group.",
)
QUESTIONS_ABROAD = (
    "The update notes came in Chinese only. Could we have them in English?",
    "How can we add {n} users for the new store?",
    "The export still shows CNY as currency, please check.",
)
ANSWERS = {
    "promoter": ("门店都在用，省了不少事。", "对接人很负责。", "报表好用，老板每天看。", ""),
    "passive": ("功能够用，手机端可以再快点。", "整体还行，培训少了点。", "", ""),
    "detractor": (
        "新同事不会用报表，问了两次没人讲。",
        "回复太慢。",
        "涨价了，但没看到新东西。",
        "换了对接人，要从头讲。",
    ),
}

"""Our own short lists of words, in Chinese and English. An underscore is a space; nothing was taken from elsewhere."""

POSITIVE = """
好 不错 很棒 棒 赞 满意 喜欢 推荐 值得 值 舒适 舒服 干净 整洁 方便 便捷 热情 周到 贴心 耐心 细心 专业 及时 迅速
很快 快捷 优秀 出色 完美 漂亮 好看 美观 精致 实惠 划算 便宜 超值 物美价廉 安静 宽敞 明亮 新鲜 好吃 美味 好用
易用 顺手 流畅 稳定 可靠 给力 开心 高兴 感谢 谢谢 感动 惊喜 放心 信赖 信任 点赞 五星 好评 支持 爱 清晰 省心 省事
省油 强劲 有力 灵活 精准 安全 实用 正品 温馨 友好 亲切 有帮助 解决了 帮了大忙 继续合作 续约 再来 回购 效率高
性价比高 靠谱 一流 称心 受益 good great excellent amazing awesome wonderful fantastic perfect love loved loves
like likes liked enjoy enjoyed happy glad pleased satisfied impressed recommend helpful friendly polite
professional quick quickly fast easy simple smooth clean comfortable nice best better reliable stable useful
beautiful thanks thank appreciate appreciated worth responsive delighted superb brilliant intuitive convenient
affordable outstanding solved works
"""
NEGATIVE = """
差 糟糕 糟 烂 垃圾 坑 坑人 骗 骗子 欺骗 骗人 假货 虚假 失望 不满 生气 气愤 愤怒 恶心 讨厌 后悔 难受 难看 难吃
难用 难闻 吵 吵闹 噪音 脏 破 破旧 陈旧 旧 坏 坏了 故障 报错 错误 崩溃 卡 卡顿 死机 慢 太慢 延迟 延误 拖延 迟迟
超时 丢失 丢 漏 缺 缺少 漏发 少发 破损 损坏 退货 退款 退掉 投诉 差评 贵 太贵 涨价 昂贵 麻烦 复杂 繁琐 混乱 冷漠
敷衍 推诿 恶劣 粗鲁 傲慢 没人 无人 不理 不管 问题 毛病 缺陷 异味 臭 异响 抖动 油耗高 费油 打不开 连不上 登不上
登录不了 用不了 无法 不能 失败 失效 中断 掉线 断线 闪退 白屏 漏洞 不准 差劲 严重 上当 忽悠 黑心 不值 可惜 郁闷
无语 无奈 痛苦 担心 解约 不续 流失 顿挫 发黄 掉漆 生锈 烂了 坏掉 小气 单薄 粗糙 廉价感 bad poor terrible awful
horrible worst worse disappointing disappointed disappointment angry annoyed annoying frustrated frustrating
hate hated rude slow slowly late delay delayed delays broken break breaks bug bugs buggy error errors crash
crashes crashed fail fails failed failure failing problem problems issue issues wrong expensive overpriced
refund cancel cancelled complaint complain dirty noisy useless waste wasted difficult hard confusing confused
complicated missing lost never nobody unable unacceptable unhappy unreliable unstable scam fraud lie lied cheat
cheated declined stuck freezes lagging lag unresponsive ignored dissatisfied lousy outage down
"""
REQUEST = """
希望 建议 能否 可否 能不能 可不可以 是否可以 是否支持 想要 需要增加 增加 新增 加上 添加 支持一下 提供 开放 期待
最好能 要是能 如果能 优化成 改成 导出功能 接口 集成 对接 定制 需求 功能建议 什么时候上线 何时支持 没有这个功能
缺少功能 wish would_like could_you can_you please_add add_support support_for feature_request suggest suggestion
would_be_great would_be_nice hope hoping we_need an_option option_to ability_to integrate integration roadmap
allow_us export_to looking_forward should_have missing_feature
"""
PROBLEM = """
投诉 没人 无人 不理 不回 没回复 没有回复 不接电话 打不通 态度 敷衍 推诿 退款 退货 赔偿 补偿 故障 报错 错误 崩溃
卡顿 死机 闪退 打不开 登录不了 用不了 连不上 无法 失败 中断 掉线 丢失 延误 超时 扣费 多扣 重复扣 账单 发票 物流
破损 漏发 坏了 解决 处理 修复 维修 催 还没 一直没 complaint complain refund not_working doesn't_work
does_not_work broken error bug crash crashed failed fails failure outage no_response no_reply no_answer nobody
answered rude waiting invoice charged_twice overcharged wrong_amount delay delayed lost damaged cannot can't
unable issue problem fix solve resolve
"""
EXPERIENCE = """
体验 界面 操作 好用 难用 不好用 顺手 流畅 繁琐 复杂 步骤 不直观 找不到 看不懂 布局 字体 颜色 设计 页面 加载 响应
舒适 舒服 方便 不方便 麻烦 习惯 感觉 印象 氛围 环境 整体 上手 学习成本 外观 手感 音质 画面 experience interface
design layout easy_to_use hard_to_use usability intuitive confusing navigation clicks steps screen look_and_feel
comfortable smooth clunky cluttered font colour color learning_curve onboarding overall convenient inconvenient
"""
TOPICS = {
    "price": """
        价格 价钱 贵 便宜 涨价 降价 优惠 折扣 性价比 收费 费用 报价 预算 实惠 划算 price prices pricing
        expensive cheap cost costs discount fee fees budget quote overpriced affordable
    """,
    "billing": """
        账单 发票 开票 付款 扣费 退款 对账 合同 续费 续约 汇款 到账 invoice invoices billing bill payment pay
        paid refund charge charged contract renewal renew receipt
    """,
    "delivery": """
        物流 快递 发货 送货 配送 到货 包装 签收 运费 收货 漏发 delivery deliver delivered shipping shipped
        shipment courier package parcel packaging arrived
    """,
    "service": """
        客服 服务 态度 售后 回复 响应 电话 前台 热情 耐心 投诉 顾问 培训 支持人员 service support staff agent
        representative rude polite helpful response reply training consultant
    """,
    "quality": """
        质量 做工 破损 坏了 耐用 正品 假货 材质 新鲜 瑕疵 掉漆 异味 quality broken damaged durable defect
        defective material fake genuine fresh
    """,
    "function": """
        功能 导出 导入 报表 接口 集成 对接 权限 搜索 提醒 模板 审批 定制 支持 feature features function export
        import report reports dashboard api integration search permission template
    """,
    "stability": """
        卡 卡顿 慢 崩溃 闪退 死机 报错 故障 打不开 加载 延迟 掉线 登录 白屏 超时 中断 slow crash crashes crashed
        error errors bug bugs lag loading outage down login timeout unstable freeze
    """,
    "usability": """
        界面 操作 易用 好用 难用 体验 步骤 找不到 布局 繁琐 上手 设计 复杂 interface usability easy confusing
        layout navigation design intuitive screen clicks steps complicated
    """,
}
NEGATIONS = """
不 没 没有 无 未 别 非 不是 不太 不够 不怎么 并不 不算 不会 没什么 毫无 谈不上 not no never don't doesn't didn't
isn't wasn't aren't weren't won't can't cannot couldn't wouldn't hardly barely without neither nor
"""
NO_NEGATIONS = """
非常 特别 无比 分别 差别 级别 性别 区别 识别 别人 别家 不仅 不但 不光 不止 不愧
无论 不论 不管 莫非 除非 未来 没想到 不料 是不是 好不好 能不能
"""

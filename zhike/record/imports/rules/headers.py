"""The headers that people give the columns of their files, by field, in both languages."""

_WRITTEN = {
    "customers.id": """
        id | customer id | customer no | customer number | customer code | customer | account id | account no
        account | client id | cust id | custid | member id | user id | userid | company id | household id
        tenant id | customer unique id | no | code | ref | 客户编号 | 客户号 | 客户代码 | 客户id | 编号 | 编码
        会员编号 | 会员号 | 账号 | 帐号 | 用户id | 公司编号
    """,
    "customers.name": """
        name | customer name | account name | company | company name | client name | client | organisation
        organization | full name | 客户名称 | 客户名 | 名称 | 公司 | 公司名称 | 企业名称 | 单位名称 | 单位 | 姓名
        客户姓名 | 会员姓名 | 客户全称 | 客户
    """,
    "customers.kind": """
        kind | customer type | type | account type | entity type | 类型 | 客户类型 | 客户性质 | 类别 | 性质
    """,
    "customers.industry": """
        industry | sector | vertical | branch | 行业 | 所属行业 | 行业分类 | 客户行业
    """,
    "customers.region": """
        region | country | state | province | city | location | office location | area | territory | customer city
        customer state | 地区 | 区域 | 省份 | 省 | 城市 | 国家 | 所在地 | 所在地区 | 所在城市 | 大区
    """,
    "customers.size": """
        size | employees | employee count | headcount | company size | seats | account users | users | 规模
        公司规模 | 人数 | 员工人数 | 员工数 | 企业规模
    """,
    "customers.joined": """
        joined | joined on | signup date | sign up date | signed up | customer since | since | start date | created
        created at | created date | registration date | registered | first seen | 加入日期 | 注册日期 | 注册时间
        合作日期 | 签约日期 | 签约时间 | 成为客户 | 成为客户日期 | 客户自 | 合作开始 | 开户日期 | 建档日期 | 创建日期
        创建时间
    """,
    "customers.owner": """
        owner | owner email | account owner | account manager | csm | sales rep | salesperson | sales agent
        representative | manager | 负责人 | 客户负责人 | 客户经理 | 跟进人 | 归属人 | 所属人 | 业务员 | 销售
        销售负责人 | 客户成功经理
    """,
    "customers.acquisition_cost": """
        acquisition cost | cac | cost of acquisition | customer acquisition cost | 获客成本 | 拉新成本 | 获取成本
    """,
    "customer": """
        customer | customer id | customer no | customer number | customer code | client | client id | account
        account id | account no | cust id | custid | user id | userid | member id | household id | company id
        company | buyer | buyer id | tenant | org id | 客户 | 客户编号 | 客户号 | 客户代码 | 客户id | 客户名称
        会员 | 会员号 | 会员编号 | 账号 | 账户 | 帐号 | 公司 | 公司名称 | 买家 | 用户 | 用户id | 用户编号
    """,
    "contacts.id": """
        id | contact id | contact no | person id | 联系人编号 | 联系人id | 编号
    """,
    "contacts.name": """
        name | contact | contact name | full name | person | 联系人 | 姓名 | 联系人姓名 | 名字 | 称呼
    """,
    "contacts.role": """
        role | title | job title | position | function | 角色 | 职位 | 职务 | 岗位 | 头衔
    """,
    "contacts.email": """
        email | e-mail | mail | email address | e-mail address | 邮箱 | 电子邮箱 | 电子邮件 | 邮件 | 邮箱地址
    """,
    "contacts.phone": """
        phone | mobile | telephone | tel | cell | phone number | mobile phone | 手机 | 手机号 | 手机号码 | 电话
        联系电话 | 电话号码
    """,
    "contacts.birthday": """
        birthday | birth date | date of birth | dob | born | 生日 | 出生日期 | 出生年月
    """,
    "orders.order": """
        order | order id | order no | order number | invoice | invoice no | invoiceno | invoice number | basket id
        transaction id | receipt | 订单 | 订单号 | 订单编号 | 单号 | 发票号 | 交易号 | 流水号 | 销售单号
    """,
    "time": """
        time | date | datetime | timestamp | created | created at | at | day | when | order date | invoice date
        purchase date | purchased at | order purchase timestamp | transaction timestamp | transaction date
        event time | event date | usage date | occurred at | 时间 | 日期 | 下单时间 | 下单日期 | 订单时间 | 订单日期
        购买时间 | 成交时间 | 创建时间 | 发生时间 | 记录时间 | 跟进时间 | 联系时间 | 沟通时间 | 使用日期 | 统计日期
    """,
    "product": """
        product | product id | product code | stock code | stockcode | sku | item | item id | item code | article
        plan | plan tier | plan name | product name | 产品 | 商品 | 产品编号 | 商品编号 | 产品编码 | 商品编码 | 货号
        产品名称 | 商品名称 | 套餐 | 版本 | 方案 | 订阅产品
    """,
    "orders.description": """
        description | product description | product name | item name | item description | details | 描述 | 商品描述
        商品名称 | 产品名称 | 品名 | 说明
    """,
    "quantity": """
        quantity | qty | units | seats | licenses | licences | count | number of units | 数量 | 件数 | 席位 | 席位数
        用户数 | 购买数量
    """,
    "orders.price": """
        price | unit price | unitprice | amount | value | sales value | total | order value | payment value
        revenue | sales | net amount | 单价 | 价格 | 金额 | 成交价 | 销售额 | 总价 | 实付金额 | 订单金额 | 成交金额
    """,
    "currency": """
        currency | currency code | ccy | 币种 | 货币 | 币别 | 结算币种
    """,
    "subscriptions.start": """
        start | start date | started | begin | begin date | from | valid from | subscription start | 开始 | 开始日期
        起始日期 | 生效日期 | 起 | 合同开始 | 开通日期
    """,
    "subscriptions.end": """
        end | end date | ended | until | to | valid to | expires | expiry | expiry date | subscription end | 结束
        结束日期 | 到期日期 | 到期日 | 截止日期 | 失效日期 | 合同到期
    """,
    "subscriptions.mrr": """
        mrr | mrr amount | monthly revenue | monthly recurring revenue | monthly price | monthly fee | 月费 | 月收入
        月经常性收入 | 月度金额 | 每月金额
    """,
    "usage.event": """
        event | event type | event name | action | activity | feature | feature name | type | 事件 | 事件类型
        事件名称 | 行为 | 动作 | 功能 | 功能名称 | 操作
    """,
    "usage.count": """
        count | event count | events | times | usage count | number | n | 次数 | 事件次数 | 使用次数 | 数量 | 计数
    """,
    "usage.users": """
        users | distinct users | active users | user count | unique users | 人数 | 用户数 | 活跃用户 | 活跃人数
        去重用户数 | 使用人数
    """,
    "interactions.channel": """
        channel | medium | via | method | contact method | type | 渠道 | 方式 | 联系方式 | 沟通方式 | 跟进方式
        途径
    """,
    "interactions.direction": """
        direction | in out | inbound outbound | 方向 | 呼入呼出 | 进出
    """,
    "interactions.by": """
        by | agent | staff | employee | user | author | owner | handled by | 记录人 | 跟进人 | 负责人 | 坐席 | 客服
        员工 | 经办人
    """,
    "interactions.text": """
        text | note | notes | content | summary | message | body | comment | comments | 内容 | 记录 | 跟进内容
        沟通内容 | 备注 | 摘要 | 纪要 | 小结
    """,
}

HEADERS = {
    name: tuple(word.strip() for line in text.splitlines() for word in line.split("|") if word.strip())
    for name, text in _WRITTEN.items()
}
"""Per field the headers by which it is known, the likeliest first; `orders.price` is the price in a file of orders."""

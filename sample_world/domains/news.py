"""Articles."""

from sample_world.vocabulary import Category, Domain, both

NEWS = Domain(
    name="news",
    zh="资讯",
    categories=(
        Category(
            "markets",
            "财经",
            ("money",),
            "morning",
            both(
                "interest rates; house prices; start-up funding; pensions; oil prices; trade deals",
                "利率; 房价; 创业融资; 养老金; 油价; 贸易协定",
            ),
            both(
                "rally; slump; forecast; bill; budget; warning",
                "上涨; 下滑; 预测; 账单; 预算; 预警",
            ),
            minutes=(2, 9),
        ),
        Category(
            "technology",
            "科技",
            ("tech", "learning"),
            "office",
            both(
                "language models; chip shortages; privacy rules; electric cars; open source; "
                "robots",
                "大语言模型; 芯片短缺; 隐私法规; 电动汽车; 开源; 机器人",
            ),
            both(
                "launch; leak; patent; breakthrough; recall; test",
                "发布; 泄露; 专利; 突破; 召回; 测试",
            ),
            minutes=(2, 12),
        ),
        Category(
            "football",
            "足球",
            ("sport",),
            "commute",
            both(
                "transfer rumours; derby matches; youth academies; injuries; league tables; "
                "penalty drama",
                "转会传闻; 德比; 青训; 伤病; 积分榜; 点球大战",
            ),
            both(
                "transfer; comeback; defeat; squad; coach; draw",
                "转会; 逆转; 失利; 阵容; 主帅; 平局",
            ),
            minutes=(1, 6),
            family=0.8,
        ),
        Category(
            "health",
            "健康",
            ("wellness", "family"),
            "breakfast",
            both(
                "better sleep; heart health; vaccines; back pain; mental health; running injuries",
                "睡眠; 心脏健康; 疫苗; 腰背疼痛; 心理健康; 跑步损伤",
            ),
            both("study; habit; myth; trial; cure; question", "研究; 习惯; 误区; 试验; 疗法; 疑问"),
            minutes=(3, 10),
        ),
        Category(
            "travel writing",
            "旅行",
            ("travel", "outdoors"),
            "weekend",
            both(
                "night trains; island hopping; mountain huts; city breaks; border crossings; "
                "slow boats",
                "夜行列车; 跳岛; 山间小屋; 城市漫游; 跨境; 慢船",
            ),
            both(
                "journey; map; detour; ticket; guide; arrival", "旅程; 地图; 绕路; 车票; 指南; 抵达"
            ),
            minutes=(4, 20),
            family=0.7,
        ),
        Category(
            "local affairs",
            "本地新闻",
            ("home", "family"),
            "breakfast",
            both(
                "bus routes; school places; flood defences; street markets; planning rows; "
                "library hours",
                "公交线路; 学位; 防洪; 集市; 规划争议; 图书馆开放时间",
            ),
            both(
                "plan; vote; protest; opening; delay; repair", "方案; 投票; 抗议; 开放; 延误; 维修"
            ),
            minutes=(1, 6),
        ),
        Category(
            "culture",
            "文化",
            ("arts", "romance"),
            "weekend",
            both(
                "gallery openings; book prizes; film festivals; theatre revivals; "
                "lost manuscripts; "
                "street art",
                "画廊开幕; 文学奖; 电影节; 戏剧重排; 失落手稿; 街头艺术",
            ),
            both(
                "review; prize; scandal; premiere; portrait; archive",
                "评论; 奖项; 风波; 首演; 肖像; 档案",
            ),
            minutes=(3, 18),
        ),
        Category(
            "wildlife",
            "野生动物",
            ("animals", "outdoors", "learning"),
            "afternoon",
            both(
                "whale watching; beaver returns; bee decline; wolf packs; garden birds; "
                "coral reefs",
                "观鲸; 河狸回归; 蜜蜂减少; 狼群; 花园鸟类; 珊瑚礁",
            ),
            both(
                "sighting; return; survey; rescue; nest; threat", "目击; 回归; 调查; 救助; 巢; 威胁"
            ),
            minutes=(2, 9),
            family=0.9,
        ),
    ),
    titles=both(
        "What the {noun} in {place} says about {topic}; {topic}: the {mood} {noun}; "
        "{number} lessons about {topic} from {place}; {person} on {topic} and the next {noun}; "
        "how {topic} could change {place}; {place} {noun}: {topic}, explained; "
        "the {look} side of {topic}",
        "{place}的{noun}告诉我们什么：{topic}; {topic}：一次{mood}的{noun}; "
        "关于{topic}的{number}个教训; "
        "{person}谈{topic}与下一次{noun}; {topic}为何让{place}担忧; "
        "{place}{noun}：{topic}全解析; {topic}{look}的一面",
    ),
    texts=both(
        "News of {topic} comes faster than {place} can follow. {person} reports on the {noun}.; "
        "{category}: a {mood} look at {topic}, with figures and voices from {place}.; "
        "After the {noun}, {person} asks about {topic}, on behalf of {who}.; "
        "{topic}, in {look} words, for {who}.",
        "{topic}变化之快让{place}措手不及，{person}带来关于{noun}的报道。; "
        "{category}：{mood}地看{topic}，附数据与来自{place}的声音。; "
        "{noun}之后，{person}追问{topic}对{who}意味着什么。; "
        "用{look}的语言，给{who}讲{topic}。",
    ),
    brands=both(
        "The Harbour Herald; Rivermouth Post; The Long Read; Ledger; Field Notes; Morning Wire",
        "临江晚报; 长读; 早班车; 田野笔记; 账本周刊",
    ),
    pools={
        "who": both(
            "commuters; first-time buyers; parents; small firms; students; pensioners; "
            "night workers; "
            "the rest of us",
            "上班族; 首次购房者; 父母; 小企业; 学生; 退休老人; 夜班工人; 我们每个人",
        ),
    },
    actions={"view": 0.55, "click": 0.33, "like": 0.12},
    rated=0.0,
    dwell_minutes=3.0,
)

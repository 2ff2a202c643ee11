"""Films, series and clips."""

from sample_world.vocabulary import Category, Domain, both

VIDEO = Domain(
    name="video",
    zh="视频",
    categories=(
        Category(
            "science fiction",
            "科幻",
            ("tech", "games"),
            "evening",
            both(
                "first contact; time loops; space stations; rogue robots; generation ships; "
                "cloning",
                "第一次接触; 时间循环; 空间站; 机器人叛变; 世代飞船; 克隆",
            ),
            both(
                "orbit; signal; machine; horizon; colony; echo",
                "轨道; 信号; 机器; 地平线; 殖民地; 回声",
            ),
            minutes=(24, 165),
        ),
        Category(
            "crime thrillers",
            "犯罪悬疑",
            ("night", "money"),
            "bedtime",
            both(
                "bank heists; cold cases; undercover cops; small-town murders; con artists; trials",
                "银行劫案; 悬案; 卧底; 小镇凶案; 骗局; 庭审",
            ),
            both(
                "alibi; witness; debt; verdict; shadow; file",
                "不在场证明; 证人; 债; 判决; 影子; 档案",
            ),
            minutes=(40, 150),
            family=0.03,
        ),
        Category(
            "romance",
            "爱情",
            ("romance", "family"),
            "evening",
            both(
                "second chances; summer flings; old letters; wedding chaos; rivals in love; "
                "long distance",
                "重逢; 夏日恋情; 旧情书; 婚礼风波; 欢喜冤家; 异地恋",
            ),
            both("letter; summer; promise; dance; train; kiss", "情书; 夏天; 约定; 舞; 列车; 吻"),
            minutes=(40, 130),
            family=0.3,
        ),
        Category(
            "animation",
            "动画",
            ("family", "arts"),
            "morning",
            both(
                "talking animals; magic schools; lost toys; dragons; tiny inventors; "
                "sea adventures",
                "会说话的动物; 魔法学校; 走失的玩具; 龙; 小小发明家; 海上冒险",
            ),
            both(
                "dragon; kite; island; lantern; teapot; fox", "小龙; 风筝; 小岛; 灯笼; 茶壶; 狐狸"
            ),
            minutes=(7, 105),
            family=0.97,
        ),
        Category(
            "nature documentaries",
            "自然纪录片",
            ("outdoors", "animals", "learning"),
            "weekend",
            both(
                "deep oceans; rainforests; bird migration; volcanoes; polar ice; desert life",
                "深海; 雨林; 候鸟迁徙; 火山; 极地冰原; 沙漠生命",
            ),
            both(
                "planet; reef; forest; river; season; coast", "星球; 珊瑚礁; 森林; 河流; 季节; 海岸"
            ),
            minutes=(25, 95),
            family=0.9,
        ),
        Category(
            "cooking shows",
            "美食节目",
            ("food", "home"),
            "lunch",
            both(
                "street food tours; pastry contests; grandmothers' recipes; noodle masters; "
                "farm kitchens; knife skills",
                "街头美食; 甜点大赛; 外婆的菜谱; 面点师傅; 农家厨房; 刀工",
            ),
            both(
                "kitchen; table; feast; market; spoon; oven", "厨房; 餐桌; 盛宴; 菜市场; 勺子; 烤箱"
            ),
            minutes=(12, 60),
            family=0.8,
        ),
        Category(
            "stand-up comedy",
            "脱口秀",
            ("night", "romance"),
            "bedtime",
            both(
                "family jokes; office satire; dating disasters; travel mishaps; getting older; "
                "crowd work",
                "家庭段子; 职场吐槽; 相亲灾难; 旅途囧事; 变老; 现场互动",
            ),
            both(
                "hour; set; microphone; encore; punchline; stage",
                "专场; 段子; 麦克风; 返场; 包袱; 舞台",
            ),
            minutes=(20, 80),
            family=0.1,
        ),
        Category(
            "sports highlights",
            "体育集锦",
            ("sport", "money"),
            "commute",
            both(
                "football finals; marathon finishes; climbing records; tennis rallies; "
                "basketball dunks; cycling tours",
                "足球决赛; 马拉松冲线; 攀岩纪录; 网球对攻; 篮球扣篮; 环城自行车赛",
            ),
            both(
                "final; record; season; rally; finish; rivalry",
                "决赛; 纪录; 赛季; 对决; 冲刺; 宿敌",
            ),
            minutes=(4, 45),
            family=0.8,
        ),
    ),
    titles=both(
        "The {noun} of {place}; The {mood} {noun}; {person}'s {noun}; "
        "{number} Nights and a {noun}; "
        "{noun} and {noun}; {look} {noun}: {topic}; A {noun} Called {given}; "
        "{place} {noun}, {topic}",
        "{place}的{noun}; {mood}的{noun}; {given}的{noun}; {number}个{noun}; {noun}与{noun}; "
        "{look}{noun}：{topic}; {place}{noun}之{topic}; 我和{given}的{noun}",
    ),
    texts=both(
        "A {mood} story of {topic}, set in {place}, with {person} in the lead.; "
        "{category} about {topic}: {person} {turn}.; "
        "{topic} told in a {look} style. {given} {turn}.; "
        "In {place}, {person} {turn}. {mood} {category} for fans of {topic}.",
        "发生在{place}的{mood}故事，讲述{topic}，{person}主演。; "
        "{category}：关于{topic}，{person}{turn}。; "
        "以{look}风格讲述{topic}，{given}{turn}。; "
        "在{place}，{person}{turn}。喜欢{topic}的{category}观众不要错过。",
    ),
    brands=both(
        "Lantern Pictures; Ninth Street Films; Paper Boat Studio; Cormorant TV; Blue Hour; "
        "Halfmoon Docs; Big Kettle; Saltbox",
        "灯塔影业; 纸船动画; 蓝时刻; 大壶文化; 九号街; 半月纪实",
    ),
    pools={
        "turn": both(
            "finds what nobody was meant to find; has one week to make it right; "
            "comes home after ten years; learns the rules the hard way; "
            "meets the one person who knows; shows how it is really done; "
            "loses everything but hope",
            "发现了不该发现的东西; 只有一周时间挽回一切; 十年后回到故乡; 吃尽苦头才明白规则; "
            "遇到唯一知情的人; 展示真正的做法; 失去一切却仍有希望",
        ),
    },
    actions={"view": 0.62, "click": 0.18, "like": 0.20},
    rated=0.30,
    dwell_minutes=32.0,
)

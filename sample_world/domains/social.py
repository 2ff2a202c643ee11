"""People, creators and groups."""

from sample_world.vocabulary import Category, Domain, both

SOCIAL = Domain(
    name="social",
    zh="社交",
    categories=(
        Category(
            "people nearby",
            "附近的人",
            ("romance", "night"),
            "evening",
            both(
                "salsa dancing; long walks; craft beer; live music; museum dates; street food",
                "跳莎莎舞; 散步; 精酿啤酒; 现场音乐; 逛博物馆; 街头小吃",
            ),
            both("friend; neighbour; dreamer; regular; newcomer", "朋友; 邻居; 追梦人; 常客; 新人"),
            family=0.1,
        ),
        Category(
            "fitness creators",
            "健身博主",
            ("sport", "wellness"),
            "morning",
            both(
                "marathon training; yoga flows; kettlebells; calisthenics; trail running; pilates",
                "马拉松训练; 瑜伽; 壶铃; 街头健身; 越野跑; 普拉提",
            ),
            both("coach; runner; trainer; athlete; teacher", "教练; 跑者; 训练师; 运动员; 老师"),
        ),
        Category(
            "food creators",
            "美食博主",
            ("food", "family"),
            "lunch",
            both(
                "sourdough baking; noodle recipes; vegan lunches; barbecue; dumplings; desserts",
                "酸面包烘焙; 面食; 素食午餐; 烧烤; 包饺子; 甜点",
            ),
            both("cook; baker; taster; chef; home cook", "厨师; 烘焙师; 吃货; 大厨; 煮妇"),
        ),
        Category(
            "gaming creators",
            "游戏主播",
            ("games", "tech"),
            "bedtime",
            both(
                "speedruns; strategy games; horror games; farming games; racing games; "
                "retro consoles",
                "速通; 策略游戏; 恐怖游戏; 种田游戏; 赛车游戏; 复古主机",
            ),
            both("streamer; gamer; captain; caster; player", "主播; 玩家; 队长; 解说; 高手"),
            family=0.4,
        ),
        Category(
            "art creators",
            "艺术创作者",
            ("arts", "fashion"),
            "afternoon",
            both(
                "watercolours; street photography; pottery; calligraphy; collage; figure drawing",
                "水彩; 街头摄影; 陶艺; 书法; 拼贴; 人体速写",
            ),
            both(
                "painter; maker; artist; printmaker; illustrator",
                "画家; 匠人; 艺术家; 版画师; 插画师",
            ),
        ),
        Category(
            "parent groups",
            "亲子群",
            ("family", "home"),
            "office",
            both(
                "toddler sleep; school runs; family camping; picture books; baby food; playgrounds",
                "宝宝睡眠; 接送上学; 亲子露营; 绘本共读; 辅食; 游乐场",
            ),
            both("circle; club; meet-up; table; corner", "圈; 俱乐部; 聚会; 小组; 角落"),
            family=1.0,
        ),
        Category(
            "study groups",
            "学习小组",
            ("learning", "tech"),
            "office",
            both(
                "language exchange; data science; essay writing; exam revision; chess; philosophy",
                "语言交换; 数据科学; 写作; 备考; 国际象棋; 哲学",
            ),
            both("circle; club; lab; table; society", "圈; 社; 实验室; 读书会; 小组"),
        ),
        Category(
            "pet people",
            "萌宠圈",
            ("animals", "outdoors"),
            "commute",
            both(
                "rescue cats; puppy training; parrots; aquariums; rabbit care; dog walks",
                "流浪猫救助; 训犬; 鹦鹉; 水族; 养兔; 遛狗",
            ),
            both("keeper; walker; friend; owner; fan", "铲屎官; 遛狗人; 朋友; 主人; 爱好者"),
        ),
    ),
    titles=both(
        "{person}, {mood} {noun}; {person} on {topic}; {given} the {look} {noun}; "
        "{district} {topic} {noun}; {person}: {topic}, {mood}; {place} {noun} for {topic}",
        "{person}·{mood}的{noun}; {person}聊{topic}; {look}{noun}{given}; "
        "{district}{topic}{noun}; {person}的{topic}日常; {place}{topic}{noun}",
    ),
    texts=both(
        "{given} shares {topic} nearly every day, in a {mood} and {look} way.; "
        "Posts about {topic}, from {district}, for people into {category}.; "
        "A {mood} {noun} who is all about {topic}. Say hello.; "
        "{topic}, {habit}: that is what {given} is known for among {category}.",
        "{given}几乎每天分享{topic}，风格{mood}又{look}。; "
        "来自{district}，专聊{topic}，属于{category}。; "
        "一位{mood}的{noun}，热爱{topic}，欢迎打招呼。; "
        "{habit}，{topic}，这就是{category}里的{given}。",
    ),
    brands={"en": (), "zh": ()},
    pools={
        "habit": both(
            "at dawn; every Sunday; with strong opinions; one photo at a time; with the camera on; "
            "in short lessons; with beginners; on the way home",
            "清晨; 每个周日; 观点鲜明; 一张照片一个故事; 开着镜头; 短课; 带新手; 回家路上",
        ),
    },
    actions={"view": 0.40, "click": 0.30, "like": 0.30},
    rated=0.0,
    dwell_minutes=2.0,
)

"""Life around home: places of the neighbourhood, and scenes of the house itself."""

from sample_world.vocabulary import Category, Domain, both

HOME = Domain(
    name="home",
    zh="本地生活",
    categories=(
        Category(
            "breakfast cafes",
            "早餐咖啡馆",
            ("food", "wellness"),
            "breakfast",
            both(
                "espresso; pancakes; congee; sourdough toast; fresh juice; "
                "soy milk and dough sticks",
                "意式浓缩; 松饼; 粥; 酸面包吐司; 鲜榨果汁; 豆浆油条",
            ),
            both("Cafe; Coffee; Kitchen; Bakery; Corner", "咖啡馆; 早餐店; 小厨; 面包房; 转角"),
            price=(3, 18),
            opening=("Mo-Fr 06:00-14:00; Sa-Su 07:00-15:00", "Mo-Su 06:00-13:00"),
            family=0.8,
        ),
        Category(
            "lunch spots",
            "午餐小店",
            ("food", "money"),
            "lunch",
            both(
                "hand-pulled noodles; poke bowls; falafel; soup of the day; rice boxes; tacos",
                "手工拉面; 波奇碗; 鹰嘴豆丸子; 例汤; 盖饭; 墨西哥卷饼",
            ),
            both("Canteen; Noodles; Deli; Bowl; Counter", "食堂; 面馆; 熟食店; 小碗; 档口"),
            price=(7, 25),
            opening=("Mo-Fr 10:00-16:00; Sa 10:00-18:00", "Mo-Su 10:00-20:00"),
            family=0.7,
        ),
        Category(
            "restaurants",
            "餐厅",
            ("food", "romance"),
            "dinner",
            both(
                "hotpot; wood-fired pizza; dim sum; seafood grill; curry house; tasting menu",
                "火锅; 柴火披萨; 点心; 海鲜烧烤; 咖喱; 品鉴菜单",
            ),
            both("Restaurant; Table; Grill; House; Garden", "餐厅; 食府; 烧烤; 小馆; 园"),
            price=(15, 120),
            opening=("Tu-Su 11:00-23:00", "Mo-Su 16:00-23:00"),
            family=0.5,
        ),
        Category(
            "bars",
            "酒吧",
            ("night", "romance"),
            "night_out",
            both(
                "craft cocktails; natural wine; live bands; karaoke; rooftop views; whisky",
                "精调鸡尾酒; 自然酒; 驻场乐队; 卡拉OK; 屋顶夜景; 威士忌",
            ),
            both("Bar; Lounge; Tavern; Cellar; Club", "酒吧; 酒廊; 小酒馆; 地窖; 俱乐部"),
            price=(6, 45),
            opening=("Mo-Su 17:00-03:00", "We-Su 19:00-04:00"),
            family=0.0,
        ),
        Category(
            "gyms",
            "运动场馆",
            ("sport", "wellness"),
            "commute",
            both(
                "climbing walls; swimming lanes; spin classes; boxing; yoga studio; "
                "badminton courts",
                "攀岩墙; 泳道; 动感单车; 拳击; 瑜伽馆; 羽毛球场",
            ),
            both("Gym; Club; Studio; Hall; Baths", "健身房; 俱乐部; 馆; 体育厅; 泳馆"),
            price=(5, 40),
            opening=("Mo-Su 06:00-23:00", "Mo-Fr 06:00-22:00; Sa-Su 08:00-20:00"),
        ),
        Category(
            "parks",
            "公园",
            ("outdoors", "family", "animals"),
            "weekend",
            both(
                "duck ponds; playgrounds; running loops; rose gardens; dog meadows; boat hire",
                "鸭子池塘; 儿童游乐场; 跑步环道; 玫瑰园; 遛狗草地; 划船",
            ),
            both("Park; Gardens; Meadow; Green; Common", "公园; 花园; 草地; 绿地; 湿地"),
            opening=("Mo-Su 06:00-21:00",),
            family=1.0,
        ),
        Category(
            "museums and bookshops",
            "博物馆与书店",
            ("arts", "learning"),
            "afternoon",
            both(
                "modern art; old maps; natural history; second-hand novels; photography; comics",
                "现代艺术; 古地图; 自然历史; 旧书; 摄影; 漫画",
            ),
            both(
                "Museum; Gallery; Books; Archive; Library", "博物馆; 美术馆; 书店; 档案馆; 图书馆"
            ),
            price=(2, 30),
            opening=("Tu-Su 10:00-18:00", "Mo-Sa 10:00-20:00"),
            family=0.8,
        ),
        Category(
            "care and repair",
            "生活服务",
            ("home", "fashion", "animals"),
            "office",
            both(
                "haircuts; bicycle repair; shoe repair; laundry; massage; pet grooming",
                "理发; 修自行车; 修鞋; 洗衣; 按摩; 宠物美容",
            ),
            both("Workshop; Salon; Service; Studio; Room", "工坊; 沙龙; 服务站; 工作室; 小屋"),
            price=(5, 80),
            opening=("Mo-Sa 09:00-19:00", "Mo-Fr 08:00-18:00"),
        ),
        Category(
            "evening scenes",
            "夜间场景",
            ("home", "wellness"),
            "bedtime",
            both(
                "dimmed lights; film night; bedtime story lamp; fireplace glow; window blinds; "
                "quiet heating",
                "调暗灯光; 电影之夜; 睡前故事灯; 壁炉微光; 窗帘; 静音供暖",
            ),
            both("Scene; Routine; Mode; Setting; Hour", "场景; 流程; 模式; 设定; 时刻"),
            family=0.9,
        ),
        Category(
            "morning routines",
            "晨间流程",
            ("home", "tech"),
            "breakfast",
            both(
                "sunrise lamp; kettle timer; news briefing; bathroom heating; plant watering; "
                "coffee machine",
                "日出灯; 水壶定时; 新闻播报; 浴室取暖; 浇花; 咖啡机",
            ),
            both("Scene; Routine; Mode; Setting; Start", "场景; 流程; 模式; 设定; 开始"),
            family=0.9,
        ),
    ),
    titles=both(
        "{place} {noun}; The {mood} {noun}, {district}; {given}'s {noun}; "
        "{district} {topic} {noun}; "
        "{look} {place} {noun}; {noun} {number}, {place}; {person} {noun}",
        "{place}{noun}; {district}{mood}{noun}; {given}的{noun}; {district}{topic}{noun}; "
        "{look}{place}{noun}; {place}{number}号{noun}; {person}{noun}",
    ),
    texts=both(
        "{topic} in {district}: a {mood} and {look} address for {category}.; "
        "{given} runs this {look} {noun}, known for {topic}. {detail}.; "
        "Come for the {topic}, stay for the {mood} air. {detail}.; "
        "Among the {mood} {category} of {district}: {topic}, and {detail}.",
        "位于{district}的{category}，主打{topic}，{mood}又{look}。; "
        "{given}经营的{look}{noun}，以{topic}闻名。{detail}。; "
        "为{topic}而来，因{mood}的氛围留下。{detail}。; "
        "{district}一处{mood}的{category}：{topic}，{detail}。",
    ),
    brands={"en": (), "zh": ()},
    pools={
        "detail": both(
            "seats by the window; dogs are welcome; two steps from the tram; "
            "a small garden behind; "
            "cash only; books to borrow; the owner knows your name; no booking needed",
            "有靠窗座位; 欢迎带狗; 离电车站两步路; 后面有小花园; 只收现金; 有书可借; "
            "老板记得你的名字; 无需预约",
        ),
    },
    actions={"view": 0.50, "click": 0.25, "like": 0.15, "purchase": 0.10},
    rated=0.25,
    dwell_minutes=45.0,
    repeat=True,
)

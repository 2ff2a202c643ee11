"""Things to buy."""

from sample_world.vocabulary import Category, Domain, both

SHOP = Domain(
    name="shop",
    zh="购物",
    categories=(
        Category(
            "outdoor gear",
            "户外装备",
            ("outdoors", "travel"),
            "weekend",
            both(
                "two-person tent; hiking boots; sleeping bag; camping stove; climbing rope; "
                "rain jacket",
                "双人帐篷; 登山靴; 睡袋; 露营炉; 攀岩绳; 冲锋衣",
            ),
            price=(25, 420),
        ),
        Category(
            "kitchenware",
            "厨具",
            ("food", "home"),
            "evening",
            both(
                "pour-over kettle; cast-iron pan; chef's knife; stand mixer; tea set; bento box",
                "手冲壶; 铸铁锅; 主厨刀; 厨师机; 茶具; 便当盒",
            ),
            price=(9, 320),
        ),
        Category(
            "electronics",
            "数码",
            ("tech", "games"),
            "evening",
            both(
                "noise-cancelling headphones; mechanical keyboard; e-reader; action camera; "
                "game controller; portable speaker",
                "降噪耳机; 机械键盘; 电子书阅读器; 运动相机; 游戏手柄; 便携音箱",
            ),
            price=(29, 690),
        ),
        Category(
            "fashion",
            "服饰",
            ("fashion", "romance"),
            "afternoon",
            both(
                "linen shirt; wool coat; silk scarf; denim jacket; leather boots; summer dress",
                "亚麻衬衫; 羊毛大衣; 真丝围巾; 牛仔外套; 皮靴; 连衣裙",
            ),
            price=(15, 480),
        ),
        Category(
            "toys",
            "玩具",
            ("family", "games"),
            "weekend",
            both(
                "wooden train; building blocks; jigsaw puzzle; board game; plush bear; kite",
                "木质小火车; 积木; 拼图; 桌游; 毛绒熊; 风筝",
            ),
            price=(6, 130),
            family=0.98,
        ),
        Category(
            "beauty",
            "美妆护肤",
            ("wellness", "fashion"),
            "bedtime",
            both(
                "face serum; lip balm; bath salts; sun cream; hair oil; eau de parfum",
                "精华液; 润唇膏; 浴盐; 防晒霜; 护发精油; 香水",
            ),
            price=(5, 190),
            family=0.2,
        ),
        Category(
            "pet supplies",
            "宠物用品",
            ("animals", "home"),
            "morning",
            both(
                "cat tree; dog lead; fish tank; chew toy; bird feeder; pet carrier",
                "猫爬架; 狗绳; 鱼缸; 磨牙玩具; 喂鸟器; 宠物包",
            ),
            price=(4, 210),
            family=0.8,
        ),
        Category(
            "books",
            "图书",
            ("learning", "arts"),
            "bedtime",
            both(
                "crime novel; travel memoir; cookbook; picture book; history of science; "
                "poetry collection",
                "推理小说; 旅行随笔; 菜谱; 绘本; 科学史; 诗集",
            ),
            price=(5, 60),
        ),
    ),
    titles=both(
        "{brand} {look} {topic}; {look} {topic} in {colour}; {brand} {topic}, {mood} edition; "
        "{place} {topic} by {brand}; the {mood} {topic} from {brand}; {topic} {place}, {look}",
        "{brand}{look}{topic}; {colour}色{look}风{topic}; {brand}{mood}系列{topic}; "
        "{place}{topic}（{brand}）; {look}{topic}·{place}款",
    ),
    texts=both(
        "A {look} {topic} for anyone who loves {category}.; "
        "{brand} made this {topic} for {use}, and it shows.; "
        "This {topic} in {colour} is a {mood} companion for {use}.; "
        "From our {category} shelves: a {topic} with a {look} finish, ready for {use}.",
        "一款{look}风格的{topic}，{category}爱好者的选择。; {brand}为{use}打造的{topic}。; "
        "{colour}色的{topic}，{use}的{mood}伙伴。; "
        "{category}精选：适合{use}的{topic}，做工{look}。",
    ),
    brands=both(
        "Fernhill; Oakline; Brightwater; Kestrel & Co; Lumen; Nordvik; Paloma; Tiderunner; "
        "Hearthside; Umbra Works; Solstice; Quillfeather; Basalt; Marlowe; Pocketfox; Verdant",
        "松鼠家; 清木; 云上; 拾光; 大禾; 北岸; 听风; 小鹿; 青瓷坊; 野生集; 未来工坊; 老街坊",
    ),
    pools={
        "use": both(
            "long weekends; small flats; everyday use; a first birthday; rainy days; "
            "people who travel light; quiet evenings; busy families",
            "周末出行; 小户型; 日常使用; 生日礼物; 雨天; 轻装旅行; 安静的夜晚; 忙碌的家庭",
        ),
    },
    actions={"view": 0.35, "click": 0.35, "like": 0.12, "purchase": 0.18},
    rated=0.15,
    dwell_minutes=1.5,
)

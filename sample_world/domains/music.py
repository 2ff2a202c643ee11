"""Songs, albums and playlists."""

from sample_world.vocabulary import Category, Domain, both

MUSIC = Domain(
    name="music",
    zh="音乐",
    categories=(
        Category(
            "jazz",
            "爵士",
            ("arts", "night"),
            "evening",
            both(
                "late-night saxophone; piano trios; bossa nova; big bands; scat singing; free jazz",
                "深夜萨克斯; 钢琴三重奏; 波萨诺瓦; 大乐队; 拟声演唱; 自由爵士",
            ),
            both(
                "blues; avenue; midnight; smoke; swing; stride", "蓝调; 大道; 午夜; 烟; 摇摆; 步调"
            ),
            minutes=(3, 12),
        ),
        Category(
            "electronic",
            "电子",
            ("tech", "night", "sport"),
            "night_out",
            both(
                "deep house; techno; drum and bass; synthwave; ambient; trance",
                "深浩室; 铁克诺; 鼓打贝斯; 合成器浪潮; 氛围; 迷幻舞曲",
            ),
            both("pulse; neon; circuit; wave; signal; drop", "脉冲; 霓虹; 电路; 浪; 信号; 下坠"),
            minutes=(4, 9),
        ),
        Category(
            "folk",
            "民谣",
            ("outdoors", "romance"),
            "afternoon",
            both(
                "campfire songs; fiddle tunes; sea shanties; banjo; murder ballads; travel songs",
                "篝火弹唱; 小提琴民歌; 船歌; 班卓琴; 叙事歌谣; 旅途之歌",
            ),
            both("river; road; lantern; harvest; hill; sparrow", "河; 路; 灯; 收割; 山岗; 麻雀"),
            minutes=(2, 6),
        ),
        Category(
            "classical",
            "古典",
            ("learning", "wellness"),
            "office",
            both(
                "string quartets; piano nocturnes; choral works; symphonies; opera arias; "
                "lute music",
                "弦乐四重奏; 钢琴夜曲; 合唱; 交响曲; 咏叹调; 鲁特琴",
            ),
            both(
                "nocturne; suite; prelude; variations; hymn; sonata",
                "夜曲; 组曲; 前奏曲; 变奏; 颂; 奏鸣曲",
            ),
            minutes=(4, 45),
        ),
        Category(
            "hip hop",
            "嘻哈",
            ("fashion", "sport"),
            "commute",
            both(
                "boom bap; trap; lo-fi beats; battle rap; party anthems; story rap",
                "老派节拍; 陷阱; 低保真节拍; 对战说唱; 派对神曲; 叙事说唱",
            ),
            both(
                "block; crown; cipher; hustle; skyline; tape",
                "街区; 王冠; 密码; 打拼; 天际线; 磁带",
            ),
            minutes=(2, 5),
            family=0.15,
        ),
        Category(
            "rock",
            "摇滚",
            ("night", "travel"),
            "commute",
            both(
                "garage rock; power ballads; punk; desert rock; guitar solos; post-rock",
                "车库摇滚; 力量情歌; 朋克; 沙漠摇滚; 吉他独奏; 后摇",
            ),
            both(
                "thunder; highway; rebel; ember; engine; howl", "雷; 公路; 叛逆; 余烬; 引擎; 呐喊"
            ),
            minutes=(3, 8),
        ),
        Category(
            "children's songs",
            "儿歌",
            ("family", "animals"),
            "morning",
            both(
                "counting songs; animal songs; lullabies; bath-time songs; dancing games; alphabet",
                "数数歌; 动物歌; 摇篮曲; 洗澡歌; 律动游戏; 字母歌",
            ),
            both("duck; moon; puddle; bear; bubble; button", "小鸭; 月亮; 水坑; 小熊; 泡泡; 纽扣"),
            minutes=(1, 4),
            family=1.0,
        ),
        Category(
            "sleep sounds",
            "助眠声音",
            ("wellness", "home"),
            "bedtime",
            both(
                "rain on tents; ocean waves; brown noise; temple bells; night trains; forest birds",
                "帐篷雨声; 海浪; 棕噪音; 寺院钟声; 夜行火车; 林间鸟鸣",
            ),
            both("drift; hush; tide; pillow; dusk; drizzle", "漂流; 嘘; 潮汐; 枕; 黄昏; 细雨"),
            minutes=(20, 240),
            family=0.9,
        ),
    ),
    titles=both(
        "{noun} {noun} - {person}; {mood} {noun} - {person}; {place} {noun} - {band}; "
        "{given}'s {noun} - {band}; {look} {noun} - {person}; {topic} for {use}",
        "{noun}与{noun} - {person}; {mood}的{noun} - {person}; {place}{noun} - {band}; "
        "{given}的{noun} - {band}; {look}{noun} - {person}; {use}的{topic}",
    ),
    texts=both(
        "{topic} by {person}: {mood}, {look} {category} for {use}.; "
        "{band} return with {topic}, recorded in {place}.; "
        "A {mood} piece of {category}. {topic} at its best, for {use}.; "
        "{look} {category} from {place}, between {topic} and silence.",
        "{person}的{topic}：{mood}、{look}的{category}，适合{use}。; "
        "{band}带着{topic}回归，录制于{place}。; "
        "一首{mood}的{category}，{topic}的佳作，适合{use}。; "
        "来自{place}的{look}{category}，以{topic}为底色。",
    ),
    brands=both(
        "Tin Roof Records; Moth & Lamp; Lowland; Ultramarine; Second Sunday; Pigeon Post",
        "铁皮屋唱片; 蛾与灯; 群青; 第二个星期天; 信鸽",
    ),
    pools={
        "band": both(
            "The Paper Lanterns; Cold Harbour Trio; Sisters of Maple Row; Night Bus Orchestra; "
            "The Velvet Otters; Static Garden; Copper Choir; The Long Division; Mistral Quartet; "
            "Lost Umbrellas; Red Kettle; Little Thunder",
            "纸灯笼乐队; 夜班车乐团; 枫叶姐妹; 静电花园; 红水壶; 小雷声; 长除法; 丢伞的人",
        ),
        "use": both(
            "long drives; late shifts; studying; rainy windows; morning runs; kitchen dancing; "
            "falling asleep; the walk home",
            "长途驾驶; 夜班; 学习; 雨天窗边; 晨跑; 厨房里跳舞; 入睡; 走路回家",
        ),
    },
    actions={"view": 0.70, "click": 0.08, "like": 0.22},
    rated=0.0,
    dwell_minutes=4.0,
    repeat=True,
)

"""The two styles that every item has and every person prefers: a mood and a look."""

from dataclasses import dataclass

from sample_world.vocabulary import Words, both


@dataclass(frozen=True)
class Style:
    """A style. words: adjectives. phrases: sentences that end an item's text. wish: what people
    who want it say; both as they follow "I like" or stand alone in Chinese.
    """

    name: str
    zh: str
    words: Words
    phrases: Words
    wish: Words


MOODS = (
    Style(
        "calm",
        "安静",
        both(
            "calm; quiet; slow; gentle; peaceful; unhurried; still; soothing",
            "安静; 舒缓; 宁静; 平和; 从容; 慢节奏; 清幽",
        ),
        both(
            "Nothing here is loud or rushed.; Made for slow mornings and long breaths.; "
            "A quiet corner of the day.; It takes its time, and lets you take yours.",
            "没有喧闹，也不催促。; 适合慢慢享受的时光。; 让人一下子静下来。; 一天里难得的安宁。",
        ),
        both(
            "quiet, slow things; calm and gentle moods; peace and quiet",
            "安静舒缓的; 慢节奏的; 平和宁静的",
        ),
    ),
    Style(
        "lively",
        "热闹",
        both(
            "lively; energetic; loud; fast; thrilling; bold; bustling; electric",
            "热闹; 激情; 快节奏; 刺激; 动感; 火爆; 奔放",
        ),
        both(
            "Full of energy from the first minute.; Turn it up and bring your friends.; "
            "Fast, loud and never dull.; For people who cannot sit still.",
            "从第一分钟就充满能量。; 叫上朋友一起嗨。; 节奏飞快，绝不无聊。; 停不下来的热情。",
        ),
        both(
            "lively, energetic things; a fast pace and a lot of noise; thrills",
            "热闹有活力的; 快节奏、刺激的; 充满激情的",
        ),
    ),
    Style(
        "playful",
        "俏皮",
        both(
            "playful; funny; whimsical; silly; cheeky; quirky; cheerful; light-hearted",
            "俏皮; 搞笑; 幽默; 可爱; 古怪; 欢乐; 轻松",
        ),
        both(
            "You will laugh more than once.; It never takes itself too seriously.; "
            "Silly in the best possible way.; A wink in every detail.",
            "让人忍不住笑出声。; 一点也不一本正经。; 处处都是小幽默。; 轻松又好玩。",
        ),
        both(
            "funny, playful things; anything that makes me laugh; a light touch",
            "搞笑俏皮的; 轻松好玩的; 能让我笑的",
        ),
    ),
    Style(
        "dark",
        "暗黑",
        both(
            "dark; moody; mysterious; brooding; eerie; gritty; haunting; noir",
            "暗黑; 神秘; 阴郁; 诡异; 冷峻; 深沉; 悬疑",
        ),
        both(
            "Mysterious, with a shadow over everything.; Best after midnight.; "
            "It stays with you like a bad dream.; Gritty and without comfort.",
            "处处笼罩着阴影。; 适合午夜之后。; 像一个挥之不去的梦。; 冷峻而不讨好。",
        ),
        both(
            "dark, mysterious things; moody and gritty atmospheres; a bit of dread",
            "暗黑神秘的; 冷峻深沉的; 带点悬疑的",
        ),
    ),
    Style(
        "tender",
        "温情",
        both(
            "tender; warm; heartfelt; romantic; sentimental; cosy; loving; touching",
            "温情; 温暖; 浪漫; 感人; 治愈; 柔情; 贴心",
        ),
        both(
            "Warm, heartfelt and a little sentimental.; Keep a handkerchief near.; "
            "It feels like coming home.; Made with love, for those you love.",
            "温暖而真挚。; 记得准备纸巾。; 像回到家一样。; 献给你所爱的人。",
        ),
        both(
            "warm, heartfelt things; romance and tenderness; whatever feels cosy",
            "温暖治愈的; 浪漫温情的; 感人的",
        ),
    ),
)

LOOKS = (
    Style(
        "simple",
        "简约",
        both(
            "simple; plain; minimalist; no-frills; honest; clean; humble",
            "简约; 朴素; 极简; 实用; 干净; 纯粹",
        ),
        both(
            "Plain and useful, with nothing to spare.; Minimal to the bone.; No frills at all.",
            "简单实用，毫不多余。; 极简到骨子里。; 没有花哨的东西。",
        ),
        both("simple, minimalist things; no frills", "简约实用的; 极简的"),
    ),
    Style(
        "luxurious",
        "奢华",
        both(
            "luxurious; premium; lavish; refined; opulent; exclusive; grand",
            "奢华; 高端; 精致; 尊贵; 华丽; 考究",
        ),
        both(
            "The finest of everything.; Lavish in each detail.; An exclusive treat.",
            "处处都是最好的。; 细节极尽考究。; 难得的高端享受。",
        ),
        both("luxurious, refined things; the best that money buys", "高端精致的; 奢华考究的"),
    ),
    Style(
        "vintage",
        "复古",
        both(
            "vintage; classic; retro; old-fashioned; antique; timeless; nostalgic",
            "复古; 经典; 怀旧; 老派; 传统; 古典",
        ),
        both(
            "As it was done in your grandparents' day.; Straight from the seventies.; "
            "A classic that refuses to age.",
            "还是老一辈的做法。; 满满的怀旧气息。; 经得起时间的经典。",
        ),
        both("vintage, old-fashioned things; classics", "复古怀旧的; 经典老派的"),
    ),
    Style(
        "modern",
        "现代",
        both(
            "modern; sleek; futuristic; smart; experimental; contemporary; cutting-edge",
            "现代; 前卫; 未来感; 智能; 实验性; 新潮",
        ),
        both(
            "Ahead of its time.; Sleek, and as new as this week.; Experimental and proud of it.",
            "走在时代前面。; 新潮又利落。; 敢于实验。",
        ),
        both("modern, futuristic things; whatever is new", "前卫现代的; 新潮的"),
    ),
    Style(
        "handmade",
        "手作",
        both(
            "handmade; rustic; homemade; local; organic; folk; hand-crafted",
            "手作; 乡土; 自制; 本地; 有机; 民间; 匠心",
        ),
        both(
            "Made by hand, by people you could meet.; Rustic, local and a little uneven.; "
            "Small batches, from around the corner.",
            "出自手艺人之手。; 带着乡土气息。; 小批量，就在你身边。",
        ),
        both("handmade, local things; folk and craft", "手作的、本地的; 有匠心的"),
    ),
)

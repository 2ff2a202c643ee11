"""Made-up names of people and places."""

from sample_world.vocabulary import both

GIVEN = both(
    "Ada; Amara; Bea; Callum; Carmen; Dora; Elif; Emeka; Farah; Felix; Greta; Hanna; Idris; Ines; "
    "Ivo; Jonas; Juno; Kaya; Lars; Leila; Lucia; Malik; Mara; Milo; Nadia; Nils; Noor; Olga; Omar; "
    "Pia; Priya; Quinn; Rosa; Rufus; Sami; Saskia; Tariq; Tess; Uma; Viktor; Wanda; Yara; Yusuf; "
    "Zoe; Anouk; Bruno; Clara; Dario; Esme; Hugo",
    "晓雨; 子涵; 明远; 思琪; 若曦; 浩然; 雨桐; 志远; 安琪; 佳宁; 一诺; 文博; 清扬; 小满; 立夏; "
    "知秋; "
    "云舒; 念初; 星河; 南乔; 景行; 书瑶; 嘉木; 听澜; 沐阳; 北辰; 青禾; 予安",
)
FAMILY = both(
    "Abara; Ashdown; Bergström; Blackwood; Castellan; Chowdhury; Dvořák; Ekström; Farrow; Fenn; "
    "Galanis; Hartigan; Holloway; Ibarra; Jankowski; Kessler; Kowal; Lindqvist; Lockhart; Marsh; "
    "Moreau; Nakagawa; Novak; Okafor; Okonjo; Pellegrino; Quist; Rahman; Rasmussen; Salcedo; "
    "Sandoval; Thorne; Underhill; Vance; Varga; Whitlock; Winters; Yamada; Zielinski; Zamora",
    "林; 陈; 周; 沈; 苏; 顾; 陆; 叶; 江; 许; 宋; 唐; 温; 白; 秦; 程; 韩; 梁; 夏; 方",
)
PLACES = both(
    "Saltmarsh; Copperhill; Larkspur; Stonebridge; Amber Bay; Foxglove; Ravensmoor; Tidewater; "
    "Juniper Hill; Windmere; Ashgrove; Silverlake; Marigold; Thornbury; Clearwater; Hazelwood; "
    "Driftwood; Blackthorn; Sunnyside; Coldharbour; Maple Row; Wolfstone; Briarwood; Goldenfield; "
    "Moonfleet; Northwind; Pebble Beach; Rosemont; Starling; Willowbrook",
    "云溪; 白鹭; 青石; 松风; 听雨; 南山; 桃源; 碧湖; 竹里; 星河; 望海; 梧桐; 枫林; 半山; 花间; "
    "月牙; "
    "清河; 石桥; 麦田; 鹿鸣; 晴川; 雁栖",
)
COLOURS = both(
    "sand; moss; slate; coral; midnight; ivory; rust; teal; ochre; plum; charcoal; mint",
    "米白; 墨绿; 石板灰; 珊瑚; 午夜蓝; 象牙; 铁锈红; 青色; 赭石; 梅紫; 炭黑; 薄荷",
)
NUMBERS = both(
    "Two; Three; Four; Five; Six; Seven; Nine; Ten; Twelve; Twenty; Forty; A Hundred",
    "两; 三; 四; 五; 六; 七; 九; 十; 十二; 二十; 四十; 一百",
)

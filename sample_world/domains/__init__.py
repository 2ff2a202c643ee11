"""The domains of the sample world, one file each."""

from sample_world.domains.home import HOME
from sample_world.domains.music import MUSIC
from sample_world.domains.news import NEWS
from sample_world.domains.shop import SHOP
from sample_world.domains.social import SOCIAL
from sample_world.domains.video import VIDEO

ALL = (SHOP, SOCIAL, VIDEO, MUSIC, NEWS, HOME)

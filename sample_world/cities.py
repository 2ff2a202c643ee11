"""Made-up cities: where people live, work and go out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

KM_PER_DEGREE = 111.2
DISTRICT_SPREAD_KM = 0.9


@dataclass(frozen=True)
class District:
    """A part of a city, by its offset from the centre. out: where people go at night."""

    en: str
    zh: str
    east_km: float
    north_km: float
    out: bool = False


@dataclass(frozen=True)
class City:
    """A city. share: of all people. chinese: share of people who read Chinese."""

    en: str
    zh: str
    region: str
    lat: float
    lon: float
    utc_offset_minutes: int
    share: float
    chinese: float
    districts: tuple[District, ...]


CITIES = (
    City(
        "Harbourton",
        "海伯顿",
        "GB",
        51.62,
        -1.94,
        0,
        0.40,
        0.05,
        (
            District("Old Quay", "老码头", 0.4, -0.6, out=True),
            District("Northfield", "北田", -1.5, 6.2),
            District("Mill Lane", "磨坊巷", 5.8, 2.4),
            District("Castle Park", "城堡公园", -5.2, 0.7),
            District("Southgate", "南门", 1.9, -6.4),
        ),
    ),
    City(
        "Rivermouth",
        "河口城",
        "US",
        41.37,
        -74.88,
        -300,
        0.32,
        0.05,
        (
            District("Ferry Landing", "渡口", -0.5, 0.3, out=True),
            District("Elm Heights", "榆树岭", 4.9, 5.1),
            District("Riverside", "河畔", -6.0, 1.8),
            District("Foundry", "铸造厂区", 0.8, -5.7),
            District("Lakeview", "湖景", 7.1, -2.2),
        ),
    ),
    City(
        "Linjiang",
        "临江",
        "CN",
        30.71,
        118.92,
        480,
        0.28,
        0.92,
        (
            District("Gulou", "鼓楼", 0.2, 0.5, out=True),
            District("Xihu Road", "西湖路", -5.6, -0.9),
            District("Dongmen", "东门", 5.4, 1.3),
            District("Beishan", "北山", -1.1, 6.6),
            District("Nanwan", "南湾", 1.7, -6.1),
        ),
    ),
)


def scatter(
    rng: np.random.Generator, city: City, district: District, count: int
) -> npt.NDArray[np.float64]:
    """Return places in a district as latitude and longitude, float64 [count, 2]."""
    centre = np.array([district.north_km, district.east_km])
    km = rng.normal(centre, DISTRICT_SPREAD_KM, (count, 2))
    degrees_per_km = np.array(
        [1.0 / KM_PER_DEGREE, 1.0 / (KM_PER_DEGREE * np.cos(np.radians(city.lat)))]
    )
    places: npt.NDArray[np.float64] = np.array([city.lat, city.lon]) + km * degrees_per_km
    return np.round(places, 5)


def distance_km(
    places: npt.NDArray[np.float64], lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return great-circle distances in kilometres, [places, points].

    places: [places, 2], latitude and longitude; lat, lon: [points]; all in degrees.
    """
    lat_1, lat_2 = np.radians(places[:, :1]), np.radians(lat)
    half = np.sin((lat_1 - lat_2) / 2) ** 2
    half += np.cos(lat_1) * np.cos(lat_2) * np.sin(np.radians(lon - places[:, 1:]) / 2) ** 2
    distances: npt.NDArray[np.float64] = 2 * 6371.0 * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return distances

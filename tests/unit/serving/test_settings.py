from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from serving.settings import Between, SettingInvalid, read_settings


@dataclass(frozen=True)
class Settings:
    name: str = "n"
    port: Annotated[int, Between(0, 10)] = 5
    share: Annotated[float, Between(0, 1)] = 0.5
    on: bool = True
    place: Path = Path("here")
    engine: Literal["steam", "diesel"] = "steam"


def test_what_is_not_set_has_its_default() -> None:
    assert read_settings(Settings, "thing", {"OTHER": "1"}) == Settings()


def test_every_kind_of_setting_is_read() -> None:
    environment = {
        "TANDEM_THING_NAME": "x",
        "TANDEM_THING_PORT": "7",
        "TANDEM_THING_SHARE": "0.25",
        "TANDEM_THING_ON": "off",
        "TANDEM_THING_PLACE": "/there",
        "TANDEM_THING_ENGINE": "diesel",
    }
    assert read_settings(Settings, "thing", environment) == Settings(
        "x", 7, 0.25, False, Path("/there"), "diesel"
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("PORT", "11", "must be from 0 to 10, is '11'"),
        ("PORT", "1.5", "must be a whole number, is '1.5'"),
        ("SHARE", "nan", "must be from 0 to 1, is 'nan'"),
        ("SHARE", "half", "must be a number, is 'half'"),
        ("ENGINE", "horse", "must be one of steam, diesel, is 'horse'"),
        ("ON", "yes", "must be one of 1, true, on, 0, false, off, is 'yes'"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    name: str, value: str, problem: str
) -> None:
    with pytest.raises(SettingInvalid) as raised:
        read_settings(Settings, "thing", {f"TANDEM_THING_{name}": value})
    assert str(raised.value) == f"TANDEM_THING_{name} {problem}"

from zhike.ui.channels import CHANNELS, OTHER
from zhike.ui.tests.test_sheet import ICONS


def test_every_channel_has_an_icon_of_the_sheet() -> None:
    assert {icon for icon, _ in (*CHANNELS.values(), OTHER)} - ICONS == set()

"""Words of the plan with the customer's figures in them: known names in braces are replaced, nothing else happens."""

import re
from collections.abc import Mapping

from zhike.decide.plans.rules.contact import PLACEHOLDERS

_TOKEN = re.compile(r"\{([a-z_]{1,30})\}")


def filled(words: str, values: Mapping[str, str]) -> str:
    """Put values in place of the known names in braces; unknown names stay as they stand, no value gives a dash."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return (values.get(name) or "—") if name in PLACEHOLDERS else found[0]

    return _TOKEN.sub(value, words)

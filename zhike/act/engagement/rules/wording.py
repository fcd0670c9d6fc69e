"""Words of the plan with the customer's figures in them: known names in braces are replaced, nothing else happens."""

import re
from collections.abc import Mapping

NAMES = frozenset(
    {
        "customer",
        "contact",
        "owner",
        "company",
        "tier",
        "industry",
        "health",
        "health_before",
        "days_silent",
        "last_touch",
        "usage_change",
        "usage",
        "usage_before",
        "contract_end",
        "days_to_renewal",
        "seats",
        "features",
    }
)
"""What the words of a plan may ask for."""

_TOKEN = re.compile(r"\{([a-z_]{1,30})\}")


def filled(words: str, values: Mapping[str, str]) -> str:
    """Put values in place of the known names in braces; unknown names stay as they stand, no value gives a dash."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return (values.get(name) or "—") if name in NAMES else found[0]

    return _TOKEN.sub(value, words)


def unknown_names(words: str) -> list[str]:
    """Return the names in braces that no touch can fill."""
    return [name for name in _TOKEN.findall(words) if name not in NAMES]

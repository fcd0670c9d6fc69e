"""What can be wrong with a rule, each with its place in the tree and a sentence saying what is allowed."""

from typing import ClassVar

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _


class RuleError(Refusal):
    """Base of all complaints about a rule; `path` is the place in the tree, such as `all[1].health.below`."""

    message: ClassVar[object] = _("%(path)s: this rule cannot be read.")

    def __init__(self, path: str, **details: object) -> None:
        super().__init__(place=Place(field=path), path=path, **details)
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.path,), self.__dict__


class NotARule(RuleError):
    message = _("%(path)s: write all, any, not, or one field with its comparison.")


class EmptyGroup(RuleError):
    message = _("%(path)s: a list with at least one rule is needed.")


class SeveralKeys(RuleError):
    message = _("%(path)s: one thing at a time is needed here, not %(found)s; put several rules under all or any.")


class TooDeep(RuleError):
    message = _("%(path)s: rules may be nested at most %(limit)d deep.")


class TooLarge(RuleError):
    message = _("%(path)s: a rule may hold at most %(limit)d comparisons.")


class UnknownField(RuleError):
    message = _("%(path)s: there is no field %(field)s.")


class MisspeltField(UnknownField):
    message = _("%(path)s: there is no field %(field)s; did you mean %(suggestion)s?")


class MissingOperator(RuleError):
    message = _("%(path)s: say how to compare, for example %(example)s; allowed: %(allowed)s.")


class UnknownOperator(RuleError):
    message = _("%(path)s: %(operator)s does not fit a field of the kind %(kind)s; allowed: %(allowed)s.")


class NumberNeeded(RuleError):
    message = _("%(path)s: a number of at most 15 digits is needed, not %(value)s.")


class WholeNumberNeeded(RuleError):
    message = _("%(path)s: a whole number of at most 15 digits is needed, not %(value)s.")


class TextNeeded(RuleError):
    message = _("%(path)s: a text of 1 to %(limit)d characters is needed, not %(value)s.")


class DateNeeded(RuleError):
    message = _(
        "%(path)s: a date like 2026-03-31, or days_ago or days_ahead with a whole number up to %(limit)d, "
        "is needed, not %(value)s."
    )


class YesNoNeeded(RuleError):
    message = _("%(path)s: true or false is needed, not %(value)s.")


class NotAChoice(RuleError):
    message = _("%(path)s: %(value)s is not one of %(allowed)s.")


class ListNeeded(RuleError):
    message = _("%(path)s: a list of 1 to %(limit)d values is needed, not %(value)s.")


class PairNeeded(RuleError):
    message = _("%(path)s: a list of two values, the smaller first, is needed, not %(value)s.")

"""Subscriptions: customers who leave do so openly, at a renewal, and those who stay longer are likelier to stay."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy.special import betaln, psi

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.clv.fitting import Model
from zhike.measure.clv.histories import (
    EVENTS_PER_PARAMETER,
    BadHistory,
    Distinct,
    Floats,
    NotPositive,
    NotWhole,
    Numbers,
    as_columns,
    distinct,
    dot,
    refuse_where,
)
from zhike.measure.clv.quadrature import beta_nodes


class FewLeavers(Refusal):
    message = _(
        "Only %(leavers)s of %(customers)s customers have left. %(model)s needs at least %(needed)s of them; "
        "with fewer, any forecast would be invented."
    )


class NeitherNor(BadHistory):
    message = _("Row %(row)s: %(column)s must be 1 (has left) or 0 (is still a customer), not %(found)s.")


class ShiftedBetaGeometric(Model):
    """sBG of Fader & Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing 21(1).

    At each renewal a customer leaves with a probability of his own, θ ~ Beta(alpha, beta). Periods are those of the
    contract: months, years.
    """

    NAME: ClassVar[str] = "sBG"
    NAMES: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def fit(self, periods: Numbers, left: Numbers, weights: Numbers | None = None, *, limits: bool = False) -> Self:
        """Fit to contracts by maximum likelihood and return self.

        `periods` begun so far (whole, ≥ 1); `left` 1 for who did not renew after them, 0 for who is still in the last
        one; `weights` how many customers a row stands for; shape (n,) each. Raises BadHistory, FewLeavers (fewer than
        ten per parameter), RunsAway (such as when everybody leaves with the same probability), unless `limits` takes
        the edge of the search and says so in `cautions`.
        """
        columns = as_columns({"periods": periods, "left": left}, weights)
        begun, gone, heavy = columns["periods"], columns["left"], columns["weights"]
        refuse_where(begun != np.floor(begun), "periods", begun, NotWhole)
        refuse_where(begun < 1, "periods", begun, NotPositive)
        refuse_where((gone != 0) & (gone != 1), "left", gone, NeitherNor)
        leavers, needs = dot(heavy, gone), EVENTS_PER_PARAMETER * len(self.NAMES)
        if leavers < needs:
            raise FewLeavers(leavers=f"{leavers:g}", customers=f"{float(heavy.sum()):g}", needed=needs, model=self.NAME)
        rows = distinct((begun, gone), heavy)
        return self._climb(Likelihood(rows), np.array([1.0, 1.0]), rows.total, limits=limits)

    def survival(self, periods: Numbers) -> Floats:
        """Return the share of customers who renew at least `periods` times: B(alpha, beta + t) / B(alpha, beta)."""
        alpha, beta = self.values
        return np.asarray(np.exp(betaln(alpha, beta + np.asarray(periods, dtype=np.float64)) - betaln(alpha, beta)))

    def retention(self, period: Numbers) -> Floats:
        """Return the share of those in `period` (1, 2, …) who renew at its end; it rises with the period."""
        alpha, beta = self.values
        now = np.asarray(period, dtype=np.float64)
        return np.asarray((beta + now - 1) / (alpha + beta + now - 1))

    def expected_periods(self, discount_rate: float, renewals: Numbers | None = None) -> Floats:
        """Return the discounted number of periods paid for, at a rate per period (0.1 is ten per cent).

        Without `renewals`: of a new customer, the first period counted in full. With them: of a customer who has
        renewed so often already and stands right before the next renewal, whose period is not discounted (Fader &
        Hardie 2010, Customer-Base Valuation in a Contractual Setting, Marketing Science 29(1), equations 3 and 8).
        Raises ValueError for a rate that is not above 0: without discount the sum need not be finite.
        """
        if not discount_rate > 0:
            raise ValueError("The discount rate per period must be above 0.")
        alpha, beta = self.values
        counts = np.atleast_1d(np.asarray(0.0 if renewals is None else renewals, dtype=np.float64))
        found = []
        for count in counts.ravel():
            theta, share = beta_nodes(alpha, beta + float(count))
            # A chance of 1 - θ to stay, each period worth 1 / (1 + d) of the one before.
            worth = share / (1 - (1 - theta) / (1 + discount_rate))
            found.append(float((worth if renewals is None else worth * (1 - theta)).sum()))
        return np.array(found).reshape(np.shape(renewals) if renewals is not None else ())


class Likelihood:
    """Log-likelihood and gradient over distinct (periods, left)."""

    def __init__(self, rows: Distinct) -> None:
        self.periods, self.left = rows.columns
        self.weights, self.total = rows.weights, rows.total

    def __call__(self, values: Floats) -> tuple[float, Floats]:
        alpha, beta = map(float, values)
        # Who left after t periods has renewed t - 1 times and then not; who stays has renewed t - 1 times.
        one, other = alpha + self.left, beta + self.periods - 1
        height = dot(self.weights, betaln(one, other) - betaln(alpha, beta))
        both = psi(alpha + beta) - psi(one + other)
        slope = np.array(
            [dot(self.weights, psi(one) - psi(alpha) + both), dot(self.weights, psi(other) - psi(beta) + both)]
        )
        return float(height), slope

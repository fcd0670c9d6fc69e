"""How much a customer will still buy, and what that is worth: models of the literature, by maximum likelihood.

Times are in whatever unit the caller uses (weeks, in the literature), the same one everywhere. A history is `x` repeat
purchases (the first one is not counted), the last of them `t_x` after the first purchase, watched for `T`.
"""

from zhike.measure.clv.beta_binomial import BetaGeoBetaBinomial
from zhike.measure.clv.beta_geo import BetaGeo, ModifiedBetaGeo
from zhike.measure.clv.covariates import AlwaysTheSame, ParetoNBDWithCovariates
from zhike.measure.clv.fitting import Caution, NotFitted, RunsAway, likelihood_ratio
from zhike.measure.clv.gamma_gamma import GammaGamma
from zhike.measure.clv.gompertz import GammaGompertzNBD
from zhike.measure.clv.histories import BadHistory, FewRepeatBuyers
from zhike.measure.clv.pareto_nbd import ParetoNBD
from zhike.measure.clv.subscription import ShiftedBetaGeometric
from zhike.measure.clv.value import clv, payback, value_to_cost

__all__ = [
    "AlwaysTheSame",
    "BadHistory",
    "BetaGeo",
    "BetaGeoBetaBinomial",
    "Caution",
    "FewRepeatBuyers",
    "GammaGamma",
    "GammaGompertzNBD",
    "ModifiedBetaGeo",
    "NotFitted",
    "ParetoNBD",
    "ParetoNBDWithCovariates",
    "RunsAway",
    "ShiftedBetaGeometric",
    "clv",
    "likelihood_ratio",
    "payback",
    "value_to_cost",
]

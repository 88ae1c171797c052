"""One interface to mixed models: a table, a formula in lme4's syntax, a family."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.errors import FitError
from pipeline.stats.mixed.describe import (
    LOGIT_VARIANCE,
    certainty_messages,
    data_messages,
    fit_messages,
    random_parts,
    variances,
)
from pipeline.stats.mixed.design import split_theta
from pipeline.stats.mixed.estimates import Estimates, half_width, two_sided_p
from pipeline.stats.mixed.formula import parse_formula
from pipeline.stats.mixed.frame import ModelFrame, model_frame
from pipeline.stats.mixed.limits import check_size
from pipeline.stats.mixed.result import (
    BINOMIAL,
    FAMILIES,
    GAUSSIAN,
    FixedEffect,
    GroupSize,
    MixedFit,
)
from pipeline.stats.mixed.scaling import scaled
from pipeline.stats.mixed.search import BEYOND

REML_METHOD = "restricted maximum likelihood (REML)"
ML_METHOD = "maximum likelihood (ML)"
LAPLACE_METHOD = "maximum likelihood by the Laplace approximation"
T_METHOD = "t with Satterthwaite's degrees of freedom"
Z_METHOD = "z (Wald)"
_NOTHING_LEFT = 1e-6
"""A residual SD this small beside the response's SD is rounding, not noise."""


def fit_mixed(
    table: pd.DataFrame, formula: str, *, family: str = GAUSSIAN, is_reml: bool = True
) -> MixedFit:
    """Fit a mixed model to the rows of a table in which nothing it needs is missing.

    `formula` is in lme4's syntax, such as `share ~ speaker + age + (1 | child)`. A binomial
    response is 0 and 1, true and false, two words, or `cbind(successes, failures)`. `is_reml` is
    for linear models only. Raises FitError: a sentence why there is no result, and what would
    help.
    """
    # scipy brings a BLAS of its own: only libraries that are loaded can be limited.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    if family not in FAMILIES:
        raise FitError(f"There is no family {family!r}.", hint=f"Choose {' or '.join(FAMILIES)}.")
    # One thread: several wait for each other when the machine is busy, and sums in another order
    # would give another last digit.
    with threadpool_limits(1):
        frame = model_frame(table, parse_formula(formula), is_binomial=family == BINOMIAL)
        check_size(frame, is_binomial=family == BINOMIAL)
        return _binomial(frame) if family == BINOMIAL else _linear(frame, is_reml=is_reml)


def _linear(frame: ModelFrame, *, is_reml: bool) -> MixedFit:
    from pipeline.stats.mixed.gaussian import fit_gaussian
    from pipeline.stats.mixed.profiled import NothingLeftError

    model = scaled(frame.design)
    try:
        found = model.in_own_units(fit_gaussian(model.design, is_reml=is_reml), is_reml=is_reml)
    except np.linalg.LinAlgError as problem:
        raise _no_solution() from problem
    except NothingLeftError as problem:
        raise _reproduced(frame) from problem
    is_beyond = bool((np.abs(found.theta) > BEYOND).any())
    if is_beyond or not found.sigma > _NOTHING_LEFT * float(np.std(frame.design.response)):
        raise _reproduced(frame)
    method = REML_METHOD if is_reml else ML_METHOD
    return _result(frame, found, GAUSSIAN, method, T_METHOD)


def _reproduced(frame: ModelFrame) -> FitError:
    return FitError(
        f"The formula reproduces {frame.formula.response_text} exactly, so there is no noise to "
        "compare effects with.",
        hint="Look whether a predictor was computed from the response, or whether the response is "
        "the same in all rows of each level.",
    )


def _binomial(frame: ModelFrame) -> MixedFit:
    from pipeline.stats.mixed.binomial import fit_binomial

    model = scaled(frame.design)
    try:
        found = fit_binomial(model.design, frame.response.trials)
    except np.linalg.LinAlgError as problem:
        raise _no_solution() from problem
    found = model.in_own_units(found, is_reml=False)
    return _result(frame, found, BINOMIAL, LAPLACE_METHOD, Z_METHOD)


def _no_solution() -> FitError:
    return FitError(
        "The model has no solution that can be computed from these rows.",
        hint="Use fewer predictors or random effects, or scale(x) for very large values.",
    )


def _result(
    frame: ModelFrame, found: Estimates, family: str, method: str, p_method: str
) -> MixedFit:
    se = np.sqrt(np.diagonal(found.covariance))
    if not (np.isfinite(found.beta).all() and np.isfinite(se).all() and (se > 0).all()):
        raise _no_solution()
    df = found.df
    statistic = found.beta / se
    reach = half_width(df) * se
    p = two_sided_p(statistic, df)
    random, correlations = random_parts(frame.design.terms, found.factors)
    is_binomial = family == BINOMIAL
    residual = LOGIT_VARIANCE if is_binomial else found.sigma**2
    explained = variances(frame, found.beta, found.factors, residual)
    relative = split_theta(frame.design.terms, found.theta)
    messages = data_messages(frame) + fit_messages(
        random,
        correlations,
        relative_sds=np.concatenate([np.linalg.norm(factor, axis=1) for factor in relative]),
        is_singular=found.is_singular,
        has_converged=found.has_converged,
    )
    if is_binomial:
        messages.extend(certainty_messages(random))
    fixed = zip(
        frame.design.names,
        *(column.tolist() for column in (found.beta, se, df, statistic, p)),
        *(column.tolist() for column in (found.beta - reach, found.beta + reach)),
        strict=True,
    )
    return MixedFit(
        formula=frame.formula.text,
        family=family,
        method=method,
        response=frame.formula.response_text,
        fixed=tuple(FixedEffect(*values) for values in fixed),
        random=random,
        correlations=correlations,
        residual_sd=found.sigma,
        loglik=found.loglik,
        n=len(frame.design.response),
        n_missing=frame.n_missing,
        groups=tuple(GroupSize(term.group, term.n_levels) for term in frame.design.terms),
        icc=explained.icc,
        r2_marginal=explained.r2_marginal,
        r2_conditional=explained.r2_conditional,
        p_method=p_method,
        has_converged=found.has_converged,
        is_singular=found.is_singular,
        messages=tuple(messages),
        covariance=found.covariance,
        coding=frame.coding,
        satterthwaite=found.satterthwaite,
    )

"""Coefficients, random effects and variances of a model as tables."""

from __future__ import annotations

import math

import pandas as pd

from pipeline.stats.mixed.result import BINOMIAL, MixedFit


def coefficient_table(fit: MixedFit) -> pd.DataFrame:
    """One row per term; a binomial model's estimates are log-odds, with odds ratios beside."""
    is_binomial = fit.family == BINOMIAL
    return pd.DataFrame(
        {
            "Term": [effect.term for effect in fit.fixed],
            "Estimate (log-odds)" if is_binomial else "Estimate": [
                effect.estimate for effect in fit.fixed
            ],
            "SE": [effect.se for effect in fit.fixed],
            "95 % from": [effect.lower for effect in fit.fixed],
            "95 % to": [effect.upper for effect in fit.fixed],
            **(
                {"Odds ratio": [math.exp(min(effect.estimate, 700)) for effect in fit.fixed]}
                if is_binomial
                else {"df": [effect.df for effect in fit.fixed]}
            ),
            "z" if is_binomial else "t": [effect.statistic for effect in fit.fixed],
            "p": [effect.p for effect in fit.fixed],
        }
    )


def random_table(fit: MixedFit) -> pd.DataFrame:
    """SD of each random effect with the number of levels of its group, then the residual's."""
    levels = {size.group: size.n_levels for size in fit.groups}
    shares = dict(fit.icc)
    rows = [
        {
            "Group": one.group,
            "Effect": one.term,
            "SD": one.sd,
            "Levels": levels.get(one.group),
            "ICC": f"{shares[one.group]:.3f}"
            if one.term == "(Intercept)" and one.group in shares
            else "",
        }
        for one in fit.random
    ]
    if not math.isnan(fit.residual_sd):
        rows.append(
            {
                "Group": "Residual",
                "Effect": "",
                "SD": fit.residual_sd,
                "Levels": fit.n,
                "ICC": "",
            }
        )
    table = pd.DataFrame(rows)
    has_slopes = any(one.term != "(Intercept)" for one in fit.random)
    return table if has_slopes else table.drop(columns="Effect")


def correlation_words(fit: MixedFit) -> str:
    """'Correlations of random effects: (Intercept) and x by child .32.', "" without any."""
    known = [
        f"{one.first} and {one.second} by {one.group}: "
        + ("not estimable" if math.isnan(one.value) else f"{one.value:+.2f}")
        for one in fit.correlations
    ]
    return f"Correlations of random effects: {'; '.join(known)}." if known else ""

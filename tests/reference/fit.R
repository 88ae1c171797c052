# What lme4 and lmerTest make of the data sets: Rscript tests/reference/fit.R
# Writes tests/reference/lme4.json. Needs the R packages lmerTest and jsonlite.
suppressPackageStartupMessages({ library(lmerTest); library(jsonlite) })
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
linear <- list(
  c("balanced", "y ~ x + (x | g)"),
  c("balanced", "y ~ x + (x || g)"),
  c("unbalanced", "y ~ x + w + (1 | g)"),
  c("crossed", "y ~ x + (1 | g) + (1 | h)"),
  c("nested", "y ~ x + (1 | g) + (1 | h)"),
  c("near_singular", "y ~ x + (1 | g)"),
  c("slopes_crossed", "y ~ x + (x | g) + (1 | h)"),
  c("slopes_crossed", "y ~ x + (1 + x || g) + (1 | h)"),
  c("within", "y ~ x + (1 | g/h)"),
  c("within", "y ~ I(x^2) + x + (1 | g) + (0 + x | g:h)"),
  c("speakers", "score ~ speaker * scale(`age months`) + log(words) + is_book + (1 | child)"),
  c("speakers", "score ~ 0 + speaker + words:speaker + (1 | child) + (1 | child:speaker)"),
  c("speakers", "score ~ I(words > 10) + (speaker | child)")
)
binomial_models <- list(
  c("choices", "y ~ x + (1 | g) + (1 | h)"),
  c("choice_slopes", "y ~ x + (x | g)"),
  c("choice_slopes", "y ~ x + (x || g)"),
  c("shares", "cbind(high, low) ~ speaker + age + (1 | child)"),
  c("shares", "cbind(high, low) ~ speaker * age + (1 | child) + (1 | recording)"),
  c("four_choices", "is_correct ~ score + (1 | rater) + (1 | item)"),
  c("four_choices", "is_correct ~ z + (1 | rater) + (1 | item)"),
  c("four_choices", "is_correct ~ scale(score) + (scale(score) | rater) + (1 | item)"),
  c("four_choices", "is_correct ~ z + (z | rater) + (1 | item)")
)
read_data <- function(name) {
  data <- read.csv(file.path(here, "data", paste0(name, ".csv")), check.names = FALSE)
  for (column in intersect(c("is_book"), names(data))) data[[column]] <- as.logical(data[[column]])
  for (column in intersect(c("g", "h", "child", "recording", "rater", "item"), names(data)))
    data[[column]] <- factor(data[[column]])
  data
}
described <- function(fit, model, reml, family) {
  table <- coef(summary(fit))
  random <- as.data.frame(VarCorr(fit))
  list(
    data = model[1], formula = model[2], family = family, reml = reml,
    terms = rownames(table), estimate = unname(table[, "Estimate"]),
    se = unname(table[, "Std. Error"]),
    df = if (family == "gaussian") unname(table[, "df"]) else NULL,
    random = random[is.na(random$var2), c("grp", "var1", "sdcor")],
    correlation = random[!is.na(random$var2), c("grp", "sdcor")],
    loglik = as.numeric(logLik(fit)), singular = isSingular(fit)
  )
}
results <- list()
for (model in linear) for (reml in c(TRUE, FALSE)) {
  fit <- suppressMessages(lmer(as.formula(model[2]), read_data(model[1]), REML = reml,
    control = lmerControl(optCtrl = list(ftol_abs = 1e-12, xtol_abs = 1e-10))))
  results[[length(results) + 1]] <- described(fit, model, reml, "gaussian")
}
for (model in binomial_models) {
  # glmer's default leaves its inner search early, which moves standard errors by up to 1 %, and
  # its default optimiser (Nelder-Mead) stops too early on one of these.
  fit <- suppressMessages(glmer(as.formula(model[2]), read_data(model[1]), family = binomial,
    control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10)))
  results[[length(results) + 1]] <- described(fit, model, FALSE, "binomial")
}
version <- paste("R", getRversion(), "lme4", packageVersion("lme4"), "lmerTest", packageVersion("lmerTest"))
write_json(list(version = version, fits = results), file.path(here, "lme4.json"),
           auto_unbox = TRUE, digits = 12, pretty = 1)

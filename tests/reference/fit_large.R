# What lme4 makes of one large table, and how long it takes: Rscript fit_large.R TABLE.csv FORMULA
# Prints JSON. `seconds` are lmer's, `test_seconds` those of lmerTest's degrees of freedom (with a
# third argument "df" only); `cpu` counts the processor's time, which other programs do not change.
suppressPackageStartupMessages({ library(lmerTest); library(jsonlite) })
asked <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(asked[1])
started <- proc.time()
fit <- lme4::lmer(as.formula(asked[2]), rows)
spent <- proc.time() - started
found <- list(
  version = paste("R", getRversion(), "lme4", packageVersion("lme4"), "lmerTest", packageVersion("lmerTest")),
  formula = asked[2], n = nobs(fit), terms = names(fixef(fit)), estimate = unname(fixef(fit)),
  se = unname(sqrt(diag(as.matrix(vcov(fit))))),
  random = as.data.frame(VarCorr(fit))[, c("grp", "sdcor")],
  loglik = as.numeric(logLik(fit)), seconds = spent[["elapsed"]],
  cpu = spent[["user.self"]] + spent[["sys.self"]]
)
write(toJSON(found, auto_unbox = TRUE, digits = 12), stderr())
if (length(asked) > 2) {
  started <- proc.time()
  table <- coef(summary(as_lmerModLmerTest(fit)))
  spent <- proc.time() - started
  found$df <- unname(table[, "df"])
  found$test_seconds <- spent[["elapsed"]]
  found$test_cpu <- spent[["user.self"]] + spent[["sys.self"]]
}
cat(toJSON(found, auto_unbox = TRUE, digits = 12, pretty = 1), "\n")

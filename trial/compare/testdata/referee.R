# The referee of package compare: R's own tests, and where base R has none, the definition
# in a few lines. Writes into the folder that is its argument
#
#   subjects.csv  the generated data: case, arm, change, baseline, covariate, stratum
#   expected.csv  case, figure, value: what Go has to return; empty where R has no figure
#   counts.csv    tables of two by two with fisher.test, and binom.test of the first row
#   holm.csv      sets of P values with p.adjust
#
#   Rscript referee.R .          in this folder, to make them anew
#
# Needs Debian's r-base-core and r-cran-coin.
suppressPackageStartupMessages(library(coin))
options(warn = -1)
RNGversion("4.0.0")
set.seed(20260) # any other does as well

out <- commandArgs(trailingOnly = TRUE)[1]
full <- function(x) ifelse(is.finite(x), trimws(formatC(x, digits = 17, format = "g")), "")

subjects <- list()
expected <- list()
says <- function(case, figure, value) {
  expected[[length(expected) + 1]] <<- data.frame(case = case, figure = figure, value = full(as.numeric(value)))
}

# --- the cases -------------------------------------------------------------------
cases <- list()
add <- function(name, d) cases[[name]] <<- d
generated <- function(n, shift = 0, digits = NA, scale = 1, offset = 0, strata = 1) {
  arm <- rep(seq_along(n) - 1, n)
  baseline <- 35 + 4 * rnorm(length(arm))
  covariate <- rbinom(length(arm), 1, 0.5)
  change <- shift * arm - 0.3 * (baseline - 35) + covariate + rnorm(length(arm)) * 2
  change <- change * scale + offset
  if (!is.na(digits)) { change <- round(change, digits); baseline <- round(baseline, digits) }
  data.frame(arm, change, baseline, covariate, stratum = (seq_along(arm) - 1) %% strata)
}
add("twelve", generated(c(12, 12), -1.5))
add("unbalanced", generated(c(9, 14), -1))
add("three arms", generated(c(8, 10, 7), -0.8))
add("two and two", generated(c(2, 2)))
add("two and three", generated(c(2, 3)))
add("three and three", generated(c(3, 3), -1))
add("four and five", generated(c(4, 5), -2))
add("one and five", generated(c(1, 5)))
add("one and one", generated(c(1, 1)))
add("ties", generated(c(10, 13), -1, digits = 0))
add("ties, few", generated(c(5, 4), -1, digits = 0))
add("ties, seven", generated(c(3, 4), 0, digits = 0))
add("ties, 49 and 40", generated(c(49, 40), -0.6, digits = 0))
add("49 and 49", generated(c(49, 49), -0.4))
add("50 and 12", generated(c(50, 12), -0.4))
add("sixty", generated(c(60, 55), -0.3))
add("sixty, ties", generated(c(60, 75), -0.3, digits = 0))
add("far apart", generated(c(6, 7), 60))
add("very far apart", generated(c(6, 7), 60, scale = 1, digits = 2))
add("offset", generated(c(8, 9), -1, offset = 1e6))
add("tiny", generated(c(8, 9), -1, scale = 1e-9))
add("strata", generated(c(6, 6), -1.5, strata = 3))
add("strata of two", generated(c(5, 5), -1, strata = 2))
d <- generated(c(5, 6)); d$change[d$arm == 0] <- 1.25
add("one arm constant", d)
d <- generated(c(5, 6)); d$change[] <- 1.25
add("constant", d)
d <- generated(c(5, 6)); d$change <- d$arm * 3
add("two constants", d)
d <- generated(c(6, 6)); d$baseline <- d$change^3
add("monotone", d)
d <- generated(c(12, 11)); d$baseline <- -exp(d$change)
add("falling", d)

# --- two samples -----------------------------------------------------------------
welch <- function(case, x, y) {
  r <- tryCatch(t.test(x, y), error = function(e) NULL)
  v <- if (is.null(r)) rep(NA, 6) else c(r$stderr, r$parameter, r$statistic, r$p.value, r$conf.int)
  for (i in 1:6) says(case, paste0("welch ", c("se", "df", "t", "p", "low", "high")[i]), v[i])
  says(case, "welch value", mean(x) - mean(y))
}

wilcoxon <- function(case, x, y) {
  m <- length(x); n <- length(y)
  small <- m < 50 && n < 50
  says(case, "wilcoxon u", sum(outer(x, y, ">")) + sum(outer(x, y, "==")) / 2)
  differences <- sort(outer(x, y, "-"))
  says(case, "wilcoxon shift", median(differences))
  if (length(unique(c(x, y))) == 1) {
    p <- NA
  } else if (small) {
    group <- factor(rep(c("x", "y"), c(m, n)))
    p <- as.numeric(pvalue(wilcox_test(c(x, y) ~ group, distribution = exact(algorithm = "shift"))))
    if (anyDuplicated(c(x, y)) == 0)
      stopifnot(abs(p - wilcox.test(x, y, exact = TRUE)$p.value) < 1e-9)
  } else {
    p <- wilcox.test(x, y, exact = FALSE)$p.value
  }
  says(case, "wilcoxon p", p)
  # The limits of wilcox.test where it is exact, by the lines of its source; and of the
  # normal approximation of the same order statistics.
  if (small) {
    k <- qwilcox(0.025, m, n)
    if (k == 0 && 2 * pwilcox(0, m, n) <= 0.05) k <- 1
  } else {
    k <- floor(m * n / 2 - qnorm(0.975) * sqrt(m * n * (m + n + 1) / 12) + 0.5)
  }
  limits <- if (k < 1 || is.na(p)) c(NA, NA) else c(differences[k], differences[m * n + 1 - k])
  if (small && k >= 1 && anyDuplicated(c(x, y)) == 0)
    stopifnot(all.equal(limits, as.numeric(wilcox.test(x, y, exact = TRUE, conf.int = TRUE)$conf.int)))
  says(case, "wilcoxon low", limits[1])
  says(case, "wilcoxon high", limits[2])
}

hedges <- function(case, x, y) {
  m <- length(x); n <- length(y); df <- m + n - 2
  s <- sqrt((sum((x - mean(x))^2) + sum((y - mean(y))^2)) / df)
  v <- rep(NA, 3)
  if (df >= 2 && s > 0) {
    unit <- sqrt(1 / m + 1 / n)
    d <- (mean(x) - mean(y)) / s
    t <- d / unit
    # The noncentral t by its definition; R's pt is good for |ncp| < 37.62 only.
    distribution <- function(ncp) integrate(function(s) pnorm(abs(t) * s - ncp) * 2 * df * s * dchisq(df * s^2, df),
      max(0, 1 - 9 / sqrt(2 * df)), 1 + 9 / sqrt(2 * df), rel.tol = 1e-12, subdivisions = 2000)$value
    limit <- function(p) {
      r <- uniroot(function(ncp) distribution(ncp) - p, c(-10, 2 * abs(t) + 20), tol = 1e-12, maxiter = 10000)$root
      if (abs(t) < 15) stopifnot(abs(pt(abs(t), df, r) - p) < 1e-9)
      sign(t) * unit * r
    }
    p <- if (t < 0) c(0.025, 0.975) else c(0.975, 0.025)
    v <- c(d * exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2), limit(p[1]), limit(p[2]))
  }
  says(case, "hedges g", v[1])
  says(case, "hedges low", v[2])
  says(case, "hedges high", v[3])
}

# --- adjusted for baseline -----------------------------------------------------------
ancova <- function(case, d) {
  f <- tryCatch(lm(change ~ baseline + covariate + factor(arm), d), error = function(e) NULL)
  perfect <- is.null(f) || f$df.residual == 0 || f$rank < length(coef(f)) ||
    sum(residuals(f)^2) <= 1e-26 * sum(d$change^2)
  for (a in 1:max(d$arm)) {
    v <- rep(NA, 7)
    if (!perfect) {
      s <- summary(f)$coefficients[3 + a, ]
      i <- confint(f)[3 + a, ]
      v <- c(s[1:2], f$df.residual, s[3:4], i)
    }
    for (i in 1:7) says(case, paste0("ancova ", a, " ", c("value", "se", "df", "t", "p", "low", "high")[i]), v[i])
  }
}

# Every arrangement within strata, each with the lm of its own.
permutation <- function(case, d) {
  if (max(d$arm) > 1 || nrow(d) < 5 || var(d$change) == 0) return()
  number <- prod(tapply(d$arm, d$stratum, function(a) choose(length(a), sum(a))))
  if (number > 1000 || number == 1) return()
  ways <- lapply(split(seq_len(nrow(d)), d$stratum), function(i) {
    m <- sum(d$arm[i])
    if (m == 0) list(integer(0)) else if (m == length(i)) list(i) else combn(i, m, simplify = FALSE)
  })
  statistic <- function(arm) {
    f <- lm(d$change ~ d$baseline + arm)
    abs(summary(f)$coefficients["arm", 3])
  }
  grid <- expand.grid(lapply(ways, seq_along))
  t <- apply(grid, 1, function(k) {
    arm <- rep(0, nrow(d))
    for (s in seq_along(ways)) arm[ways[[s]][[k[s]]]] <- 1
    statistic(arm)
  })
  says(case, "permutation p", mean(t >= statistic(d$arm) * (1 - 1e-9)))
  says(case, "permutation arrangements", length(t))
}

# --- correlation and description -------------------------------------------------------
orders <- function(n) {
  if (n == 1) return(matrix(1))
  p <- orders(n - 1)
  do.call(rbind, lapply(1:n, function(i) cbind(i, p + (p >= i))))
}
spearman <- function(case, x, y) {
  n <- length(x)
  rho <- if (n > 1 && var(x) > 0 && var(y) > 0) cor(rank(x), rank(y)) else NA
  ties <- anyDuplicated(x) > 0 || anyDuplicated(y) > 0
  p <- if (is.na(rho)) NA
  else if (n <= 7) { # by definition
    all <- apply(orders(n), 1, function(o) cor(rank(x), rank(y)[o]))
    mean(abs(all) >= abs(rho) - 1e-9)
  } else if (n <= 9 && !ties) cor.test(x, y, method = "spearman", exact = TRUE)$p.value
  else if (n <= 9) return()
  else cor.test(x, y, method = "spearman", exact = FALSE)$p.value
  if (n <= 7 && !ties && !is.na(rho) && n > 2)
    stopifnot(abs(p - cor.test(x, y, method = "spearman", exact = TRUE)$p.value) < 1e-9)
  says(case, "spearman rho", rho)
  says(case, "spearman p", p)
  half <- if (n >= 4 && !is.na(rho) && abs(rho) < 1 - 1e-12) qnorm(0.975) * sqrt((1 + rho^2 / 2) / (n - 3)) else NA
  says(case, "spearman low", tanh(atanh(rho) - half))
  says(case, "spearman high", tanh(atanh(rho) + half))
}
describe <- function(case, x) {
  q <- quantile(x, c(0.25, 0.5, 0.75), names = FALSE)
  half <- if (length(x) > 1) qt(0.975, length(x) - 1) * sd(x) / sqrt(length(x)) else NA
  v <- c(mean(x), sd(x), q, mean(x) - half, mean(x) + half)
  for (i in 1:7) says(case, paste0("describe ", c("mean", "sd", "q1", "median", "q3", "low", "high")[i]), v[i])
}

for (case in names(cases)) {
  d <- cases[[case]]
  subjects[[case]] <- data.frame(case = case, arm = d$arm, change = full(d$change), baseline = full(d$baseline),
    covariate = d$covariate, stratum = d$stratum)
  x <- d$change[d$arm == 1]; y <- d$change[d$arm == 0]
  welch(case, x, y)
  wilcoxon(case, x, y)
  hedges(case, x, y)
  ancova(case, d)
  permutation(case, d)
  spearman(case, d$change, d$baseline)
  describe(case, x)
}

# --- counts and P values ---------------------------------------------------------------
counts <- rbind(c(3, 9, 8, 2), c(0, 12, 5, 7), c(0, 12, 0, 12), c(12, 0, 12, 0), c(1, 0, 0, 1), c(0, 1, 1, 0), c(6, 6, 6, 6),
  c(3, 3, 3, 3), c(10, 2, 3, 15), c(1, 11, 4, 9), c(40, 60, 55, 45), c(300, 700, 250, 750), c(2, 998, 15, 985), c(0, 3, 3, 0), c(5, 0, 1, 4))
counts <- t(apply(counts, 1, function(k) {
  i <- binom.test(k[1], k[1] + k[2])$conf.int
  c(k, fisher.test(matrix(k, 2, byrow = TRUE))$p.value, i)
}))
colnames(counts) <- c("a", "b", "c", "d", "fisher", "low", "high")

sets <- list(c(0.01, 0.04, 0.03), c(0.5, 0.5, 0.5), c(0.04, NA, 0.001, 0.02), 0.2, c(NA, NA), c(1, 0, 0.3), c(0.011, 0.02, 0.022, 0.09, 0.012),
  runif(12))
holm <- do.call(rbind, lapply(seq_along(sets), function(i)
  data.frame(set = i, p = full(sets[[i]]), holm = full(p.adjust(sets[[i]], "holm", n = length(sets[[i]]))))))

save <- function(name, d) write.csv(d, file.path(out, name), row.names = FALSE, quote = FALSE)
quoted <- function(d) { d$case <- paste0('"', d$case, '"'); d }
save("subjects.csv", quoted(do.call(rbind, subjects)))
save("expected.csv", quoted(do.call(rbind, expected)))
save("counts.csv", apply(counts, 2, full))
save("holm.csv", holm)

# The referee of package repeat: psych's intraclass correlations, t.test, cor.test, and the
# definitions of the rest in base R. Writes into the folder that is its argument
#
#   repeats.csv   case, knee, one column per repeat; empty where one is missing
#   expected.csv  case, figure, value; empty where there is none
#
#   Rscript referee.R .          in this folder, to make them anew
#
# 1.96 and not qnorm(0.975), as the definitions have it (QIBA, PMC8574057; Bland and Altman 1999).
# Needs Debian's r-base-core and r-cran-psych.
suppressPackageStartupMessages(library(psych))
options(warn = -1)
RNGversion("4.0.0")
set.seed(2027) # any other does as well

out <- commandArgs(trailingOnly = TRUE)[1]
full <- function(x) ifelse(is.finite(x), trimws(formatC(x, digits = 17, format = "g")), "")
knees <- function(n, k, error = 1.2, bias = 0, digits = 2) {
  truth <- 38 + 4 * rnorm(n)
  round(sapply(1:k, function(j) truth + bias * (j - 1) + error * rnorm(n)), digits)
}
cases <- list(ten = knees(10, 2), thirty = knees(30, 2, 1.8), three = knees(8, 3), two = matrix(c(38, 41, 37.5, 42.1), 2),
  biased = knees(12, 2, bias = 1.5), poor = knees(9, 2, error = 6), four = knees(5, 4, bias = 0.5), forty = knees(40, 2, 0.3))
missing <- knees(11, 3); missing[2, 3] <- NA; missing[5, 1] <- NA; missing[7, 2:3] <- NA
cases$missing <- missing

repeats <- expected <- list()
says <- function(case, figure, value)
  expected[[length(expected) + 1]] <<- data.frame(case = case, figure = figure, value = full(as.numeric(value)))
interval <- function(case, figure, v) for (i in 1:3) says(case, paste(figure, c("estimate", "low", "high")[i]), v[i])
spread <- function(sd, df) sd * c(1, sqrt(df / qchisq(0.975, df)), sqrt(df / qchisq(0.025, df)))

for (case in names(cases)) {
  x <- cases[[case]]
  k <- ncol(x)
  padded <- cbind(x, matrix(NA, nrow(x), 4 - k))
  repeats[[case]] <- data.frame(case, knee = seq_len(nrow(x)), matrix(full(padded), nrow(x)), k)

  many <- x[rowSums(!is.na(x)) > 1, , drop = FALSE]
  # Within knees by the one-way analysis of variance.
  long <- data.frame(v = as.vector(many), knee = factor(rep(seq_len(nrow(many)), k)))
  a <- anova(lm(v ~ knee, long))
  df <- a$Df[2]; wsd <- sqrt(a$`Mean Sq`[2])
  s <- apply(many, 1, sd, na.rm = TRUE); m <- rowMeans(many, na.rm = TRUE)
  w <- rowSums(!is.na(many)) - 1
  wcv <- 100 * sqrt(sum(w * s^2 / m^2) / sum(w))
  says(case, "n", nrow(many)); says(case, "df", df); says(case, "mean", mean(m))
  interval(case, "wsd", spread(wsd, df))
  interval(case, "wcv", spread(wcv, df))
  interval(case, "rc", 1.96 * sqrt(2) * spread(wsd, df))
  interval(case, "rc percent", 1.96 * sqrt(2) * spread(wcv, df))
  says(case, "wsd over mean", 100 * wsd / mean(m))

  all <- x[complete.cases(x), , drop = FALSE]
  n <- nrow(all)
  long <- data.frame(v = as.vector(all), knee = factor(rep(seq_len(n), k)), time = factor(rep(1:k, each = n)))
  mse <- anova(lm(v ~ knee + time, long))$`Mean Sq`[3]
  interval(case, "sdc", 1.96 * sqrt(2) * spread(sqrt(mse), (n - 1) * (k - 1)))
  i <- ICC(all, lmer = FALSE)$results
  interval(case, "icc21", unlist(i[2, c("ICC", "lower bound", "upper bound")]))
  interval(case, "icc31", unlist(i[3, c("ICC", "lower bound", "upper bound")]))

  d <- (x[, 2] - x[, 1])[complete.cases(x[, 1:2])]
  n <- length(d)
  t <- t.test(d)
  interval(case, "bias", c(t$estimate, t$conf.int))
  says(case, "bias p", t$p.value)
  half <- qt(0.975, n - 1) * sd(d) * sqrt(1 / n + 1.96^2 / (2 * (n - 1)))
  lower <- mean(d) - 1.96 * sd(d); upper <- mean(d) + 1.96 * sd(d)
  interval(case, "lower", lower + c(0, -half, half))
  interval(case, "upper", upper + c(0, -half, half))
  says(case, "proportional rho", cor(rank(round(s, 9)), rank(round(m, 9))))
}
save <- function(name, d) write.csv(d, file.path(out, name), row.names = FALSE, quote = FALSE)
save("repeats.csv", do.call(rbind, repeats))
save("expected.csv", do.call(rbind, expected))

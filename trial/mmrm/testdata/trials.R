# Writes trials.csv: 20 made-up trials on which mmrm is compared with R.
#   Rscript trials.R > trials.csv
# Seeds are 1 to 20, one for each trial.

shape <- data.frame(
  trial   = 1:20,
  visits  = c(2, 2, 3, 4, 5, 2, 3, 3, 4, 5, 2, 3, 4, 2, 3, 5, 4, 2, 3, 4),
  arms    = c(2, 3, 2, 2, 2, 2, 2, 3, 3, 3, 2, 2, 2, 2, 3, 2, 2, 2, 2, 3),
  per_arm = c(12, 12, 12, 15, 20, 12, 14, 12, 16, 16, 30, 8, 10, 6, 10, 25, 18, 40, 9, 12),
  missing = c("none", "none", "none", "none", "none", "monotone", "monotone", "monotone",
              "monotone", "monotone", "some", "some", "some", "some", "some", "some",
              "monotone", "some", "none", "some"),
  sites   = c(1, 1, 1, 3, 1, 1, 2, 1, 1, 3, 3, 1, 1, 1, 1, 2, 1, 4, 1, 1))

one <- function(s) {
  set.seed(s$trial)
  n <- s$arms * s$per_arm
  arm <- rep(seq_len(s$arms) - 1, each = s$per_arm)
  site <- sample(rep_len(seq_len(s$sites) - 1, n))
  base <- round(rnorm(n, 40, 4), 3)
  # Covariances of many kinds: growing variances, correlation that fades or not.
  sd <- 2 * exp(rnorm(s$visits, 0, 0.25))
  r <- runif(1, 0.3, 0.8)^(abs(outer(1:s$visits, 1:s$visits, "-"))^runif(1, 0.2, 1))
  e <- matrix(rnorm(n * s$visits), n) %*% chol(outer(sd, sd) * r)
  y <- round(outer(arm, seq_len(s$visits)) * 0.5 - 0.3 * (base - 40) + 0.7 * site + e, 3)
  keep <- matrix(TRUE, n, s$visits)
  if (s$missing == "monotone") {
    last <- ifelse(runif(n) < 0.3, sample(s$visits - 1, n, TRUE), s$visits)
    keep <- col(keep) <= last
  }
  if (s$missing == "some") keep <- matrix(runif(n * s$visits) > 0.15, n)
  d <- data.frame(trial = s$trial, subject = as.vector(row(y)) - 1, arm, visit = as.vector(col(y)) - 1,
                  site, base, y = as.vector(y))[as.vector(keep), ]
  d[order(d$subject, d$visit), ]
}

out <- do.call(rbind, lapply(seq_len(nrow(shape)), function(i) one(shape[i, ])))
write.csv(out, stdout(), row.names = FALSE, quote = FALSE)

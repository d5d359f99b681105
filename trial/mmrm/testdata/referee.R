# What R makes of trials.csv: the values that mmrm has to agree with.
#   Rscript referee.R trials.csv > referee.csv
#   Rscript referee.R trials.csv by-visit > referee-by-visit.csv   # baseline × visit in the model
#   Rscript referee.R trials.csv log > referee-log.csv             # the same, of logarithms
# For log, the baseline of a subject is exp(base/4) and its value exp((base + y)/4): the means and
# differences are those of the change of the natural logarithm.
# nlme::gls gives estimates, standard errors, log-likelihood and covariance; emmeans the
# least-squares means and differences; lmerTest and pbkrtest the degrees of freedom
# where lme4 has the structure (compound symmetry, correlation above 0). For the other
# structures the formulas of Kenward and Roger (1997) and Satterthwaite's are written
# out here, on dense matrices with numerical derivatives, which shares nothing with
# what they are compared with. Where both exist, both are given.
suppressMessages({ library(nlme); library(lme4); library(emmeans); library(pbkrtest); library(lmerTest) })
emm_options(msg.interaction = FALSE, msg.nesting = FALSE)

structures <- c("UN", "CSH", "AR1", "CS")

# The covariance of v visits as a function of natural parameters, as SAS takes them.
sigma <- function(kind, p, v) {
  if (kind == "UN") { s <- matrix(0, v, v); s[lower.tri(s, TRUE)] <- p; return(s + t(s) - diag(diag(s), v)) }
  if (kind == "CSH") { sd <- sqrt(p[1:v]); r <- matrix(p[v + 1], v, v); diag(r) <- 1; return(outer(sd, sd) * r) }
  if (kind == "AR1") return(p[1] * p[2]^abs(outer(1:v, 1:v, "-")))
  matrix(p[1], v, v) + diag(p[2], v)
}
natural <- function(kind, s) {
  v <- nrow(s)
  switch(kind, UN = s[lower.tri(s, TRUE)], CSH = c(diag(s), cov2cor(s)[2, 1]),
         AR1 = c(s[1, 1], s[2, 1] / s[1, 1]), CS = c(s[2, 1], s[1, 1] - s[2, 1]))
}

# V of all rows.
big <- function(s, d) s[d$visit + 1, d$visit + 1] * outer(d$subject, d$subject, "==")

# Derivatives of a matrix function by Richardson extrapolation of central differences.
slope <- function(f, p, j, h) {
  e <- replace(p * 0, j, h)
  g <- function(k) (f(p + k * e) - f(p - k * e)) / (2 * k * h)
  (64 * g(0.25) - 20 * g(0.5) + g(1)) / 45
}
second <- function(f, p, j, k, h) slope(function(q) slope(f, q, k, h[k]), p, j, h[j])

# Everything about the likelihood at p, by dense matrices:
# -2 log-likelihood, P, the Vj, the gradient, expected and observed information of -2l.
at <- function(p, kind, d, X, v) {
  y <- d$y
  f <- function(p) sigma(kind, p, v)
  h <- pmax(abs(p), 0.1 * max(abs(p))) * 1e-2
  if (kind %in% c("CSH", "AR1")) h[length(h)] <- 0.01
  V <- big(f(p), d)
  u <- chol(V); Vi <- chol2inv(u)
  Phi <- solve(crossprod(X, Vi %*% X))
  P <- Vi - Vi %*% X %*% Phi %*% t(X) %*% Vi
  Vj <- lapply(seq_along(p), function(j) big(slope(f, p, j, h[j]), d))
  PV <- lapply(Vj, function(m) P %*% m)
  Py <- drop(P %*% y)
  VPy <- lapply(Vj, function(m) drop(m %*% Py))
  q <- length(p)
  g <- sapply(seq_len(q), function(j) sum(diag(PV[[j]])) - sum(Py * VPy[[j]]))
  E <- O <- matrix(0, q, q)
  Vjk <- list()
  for (j in seq_len(q)) for (k in seq_len(j)) {
    E[j, k] <- E[k, j] <- sum(PV[[j]] * t(PV[[k]]))
    curve <- 0
    if (kind %in% c("CSH", "AR1")) {
      m <- big(second(f, p, j, k, h), d)
      Vjk[[paste(j, k)]] <- Vjk[[paste(k, j)]] <- m
      curve <- sum(P * m) - sum(Py * (m %*% Py))
    }
    O[j, k] <- O[k, j] <- -E[j, k] + 2 * sum(VPy[[j]] * (P %*% VPy[[k]])) + curve
  }
  logLik <- -0.5 * ((length(y) - ncol(X)) * log(2 * pi) + 2 * sum(log(diag(u))) - determinant(Phi)$modulus + sum(y * Py))
  list(p = p, logLik = as.numeric(logLik), beta = drop(Phi %*% t(X) %*% Vi %*% y), Phi = Phi, Vi = Vi,
       Vj = Vj, Vjk = Vjk, g = g, E = E, O = O, X = X)
}

# Scoring from gls's answer: gls stops when the likelihood no longer changes, which
# leaves the parameters with half the digits.
polish <- function(p, kind, d, X, v) {
  for (i in 1:60) {
    a <- at(p, kind, d, X, v)
    step <- solve(if (i > 4 && min(eigen(a$O, TRUE, TRUE)$values) > 0) a$O else a$E, a$g)
    if (sum(step * a$g) < 1e-18) return(a)
    while (is.null(b <- tryCatch(at(p - step, kind, d, X, v), error = function(e) NULL)) || i < 5 && b$logLik < a$logLik)
      step <- step / 2
    p <- p - step
  }
  stop("no optimum")
}

# Kenward and Roger's covariance of the effects (1997, with the second derivatives).
kenward_roger <- function(a) {
  q <- length(a$p)
  W <- 2 * solve(a$E)
  ViX <- a$Vi %*% a$X
  Pj <- lapply(a$Vj, function(m) -t(ViX) %*% m %*% ViX)
  S <- matrix(0, ncol(a$X), ncol(a$X))
  for (j in seq_len(q)) for (k in seq_len(q)) {
    Q <- t(ViX) %*% a$Vj[[j]] %*% a$Vi %*% a$Vj[[k]] %*% ViX
    R <- if (length(a$Vjk)) t(ViX) %*% a$Vjk[[paste(j, k)]] %*% ViX else 0
    S <- S + W[j, k] * (Q - Pj[[j]] %*% a$Phi %*% Pj[[k]] - R / 4)
  }
  list(adjusted = a$Phi + 2 * a$Phi %*% S %*% a$Phi, W = W, Pj = Pj)
}

# Degrees of freedom of one contrast: the moments of the F statistic that Kenward and
# Roger match, in full, and Satterthwaite's.
df_kr <- function(l, a, kr) {
  theta <- tcrossprod(l) / drop(t(l) %*% a$Phi %*% l)
  A1 <- A2 <- 0
  for (j in seq_along(kr$Pj)) for (k in seq_along(kr$Pj)) {
    M <- theta %*% a$Phi %*% kr$Pj[[j]] %*% a$Phi; N <- theta %*% a$Phi %*% kr$Pj[[k]] %*% a$Phi
    A1 <- A1 + kr$W[j, k] * sum(diag(M)) * sum(diag(N)); A2 <- A2 + kr$W[j, k] * sum(diag(M %*% N))
  }
  B <- (A1 + 6 * A2) / 2; g <- (2 * A1 - 5 * A2) / (3 * A2)
  c1 <- g / (3 + 2 * (1 - g)); c2 <- (1 - g) / (3 + 2 * (1 - g)); c3 <- (3 - g) / (3 + 2 * (1 - g))
  E <- 1 / (1 - A2); V <- 2 * (1 + c1 * B) / ((1 - c2 * B)^2 * (1 - c3 * B))
  4 + 3 / (V / (2 * E^2) - 1)
}
df_satterthwaite <- function(l, a, kr) {
  g <- sapply(kr$Pj, function(m) -t(l) %*% a$Phi %*% m %*% a$Phi %*% l)
  2 * drop(t(l) %*% a$Phi %*% l)^2 / drop(t(g) %*% (2 * solve(a$O)) %*% g)
}

gls_fit <- function(kind, d, formula) {
  cor <- switch(kind, UN = corSymm(form = ~ v1 | subject), AR1 = corAR1(form = ~ v1 | subject),
                corCompSymm(form = ~ v1 | subject))
  het <- if (kind %in% c("UN", "CSH")) varIdent(form = ~ 1 | visit)
  fit <- function(...) do.call(gls, list(formula, data = d, correlation = cor, weights = het, method = "REML",
    control = glsControl(maxIter = 500, msMaxIter = 2000, tolerance = 1e-10, ...)))
  # nlminb refuses the last digits of some trials: lm stands in, and polish starts from its residuals.
  tryCatch(fit(msTol = 1e-13), error = function(e) lm(formula, d))
}
gls_sigma <- function(m, kind, v) {
  if (!inherits(m, "gls")) return(0.5 * var(resid(m)) * (diag(v) + 1))
  r <- coef(m$modelStruct$corStruct, unconstrained = FALSE)
  R <- switch(kind, UN = { s <- diag(v); s[lower.tri(s)] <- r; s + t(s) - diag(v) },
              AR1 = r^abs(outer(1:v, 1:v, "-")), { s <- matrix(r, v, v); diag(s) <- 1; s })
  sd <- rep(m$sigma, v)
  if (kind %in% c("UN", "CSH")) sd <- m$sigma * coef(m$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[as.character(1:v - 1)]
  R * outer(sd, sd)
}

rows <- list()
put <- function(trial, kind, source, what, arm, visit, value)
  rows[[length(rows) + 1]] <<- data.frame(trial, structure = kind, source, what, arm, visit, value = as.numeric(value))

# Estimate and standard error of least-squares means and differences by emmeans.
means <- function(m, trial, kind, source, extra) {
  e <- do.call(emmeans, c(list(m, ~ arm | visit), extra))
  k <- contrast(e, "trt.vs.ctrl", adjust = "none")
  for (part in list(list(e, "mean"), list(k, "difference"))) {
    t <- as.data.frame(part[[1]], infer = FALSE)
    value <- if (part[[2]] == "mean") t$emmean else t$estimate
    arm <- if (part[[2]] == "mean") as.character(t$arm) else sub("^arm([0-9]+).*", "\\1", t$contrast)
    put(trial, kind, source, paste(part[[2]], "estimate"), arm, t$visit, value)
    put(trial, kind, source, paste(part[[2]], "se"), arm, t$visit, t$SE)
    if (!source %in% c("gls", "start")) put(trial, kind, source, paste(part[[2]], "df"), arm, t$visit, t$df)
  }
  list(mean = e, difference = k)
}

referee <- function(trial, d) {
  v <- max(d$visit) + 1
  d$v1 <- d$visit + 1
  for (f in c("arm", "visit", "site")) d[[paste0(f, 0)]] <- d[[f]]
  formula <- if (max(d$site) > 0) y ~ base + arm * visit + site else y ~ base + arm * visit
  if (mode != "common") formula <- update(formula, ~ . + base:visit)
  if (mode == "log") {
    before <- exp(d$base / 4); after <- exp((d$base + d$y) / 4)
    d$base <- log(before); d$y <- log(after) - log(before)
  }
  n <- d
  for (f in c("arm", "visit", "site")) d[[f]] <- factor(d[[f]])
  X <- model.matrix(formula, d)
  for (kind in structures) {
    m <- gls_fit(kind, d, formula)
    source <- if (inherits(m, "gls")) "gls" else "start"
    put(trial, kind, source, "loglik", "", "", logLik(m))
    s <- gls_sigma(m, kind, v)
    put(trial, kind, source, "sigma", row(s)[lower.tri(s, TRUE)] - 1, col(s)[lower.tri(s, TRUE)] - 1, s[lower.tri(s, TRUE)])
    k <- means(m, trial, kind, source, if (source == "gls") list(mode = "df.error", data = d))
    a <- tryCatch(polish(natural(kind, s), kind, n, X, v), error = function(e) NULL)
    if (is.null(a)) { # the likelihood grows towards a singular covariance
      message("trial ", trial, ", ", kind, ": no optimum")
      rows <<- Filter(function(r) !(r$trial == trial && r$structure == kind), rows)
      next
    }
    put(trial, kind, "dense", "loglik", "", "", a$logLik)
    s <- sigma(kind, a$p, v)
    put(trial, kind, "dense", "sigma", row(s)[lower.tri(s, TRUE)] - 1, col(s)[lower.tri(s, TRUE)] - 1, s[lower.tri(s, TRUE)])
    kr <- kenward_roger(a)
    for (what in c("mean", "difference")) {
      t <- as.data.frame(k[[what]])
      arm <- if (what == "mean") as.character(t$arm) else sub("^arm([0-9]+).*", "\\1", t$contrast)
      L <- k[[what]]@linfct
      each <- function(f, ...) apply(L, 1, f, ...)
      put(trial, kind, "dense", paste(what, "estimate"), arm, t$visit, each(function(l) sum(l * a$beta)))
      put(trial, kind, "dense", paste(what, "se"), arm, t$visit, each(function(l) sqrt(drop(t(l) %*% a$Phi %*% l))))
      put(trial, kind, "dense", paste(what, "adjusted se"), arm, t$visit, each(function(l) sqrt(drop(t(l) %*% kr$adjusted %*% l))))
      put(trial, kind, "dense", paste(what, "satterthwaite df"), arm, t$visit, each(df_satterthwaite, a, kr))
      put(trial, kind, "dense", paste(what, "kenward-roger df"), arm, t$visit, each(df_kr, a, kr))
    }
    if (kind == "CS" && a$p[1] > 0.01 * sum(a$p)) {
      m <- lmerTest::lmer(update(formula, ~ . + (1 | subject)), d, REML = TRUE,
                          control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12)))
      means(m, trial, kind, "lmerTest", list(lmer.df = "satterthwaite"))
      means(m, trial, kind, "pbkrtest", list(lmer.df = "kenward-roger"))
    }
  }
}

mode <- c(commandArgs(TRUE), "common")[2]
trials <- read.csv(commandArgs(TRUE)[1])
for (t in unique(trials$trial)) referee(t, trials[trials$trial == t, ])
out <- do.call(rbind, rows)
out <- out[out$source != "start", ]
if (mode != "common") # what package trial compares; the rest does not depend on the terms
  out <- out[grepl("^(mean|difference) (estimate|adjusted se|kenward-roger df|df)$", out$what) & out$source != "lmerTest", ]
out$value <- sprintf("%.10g", out$value)
write.csv(out, stdout(), row.names = FALSE, quote = FALSE)

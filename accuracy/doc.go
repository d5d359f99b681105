// Package accuracy measures how well the methods of t2fit find a T2 that is
// known: it fits phantom's reference object over a grid of trains, T2, SNR and B1,
// and compares the estimates with the truth, their spread with the Cramér–Rao
// bound, and the share of intervals that hold the truth with the 95 % that they
// promise. It also counts how often the primary test of a trial finds a difference where
// there is none. Limits are declared in limits.go, before anything is measured.
//
// T2 is in ms; SNR is S0/σ, σ being the standard deviation of the noise in each of
// the two channels; B1 is the turn of the refocusing pulses over 180°.
//
// The package does not read or write files: report.Write does.
package accuracy

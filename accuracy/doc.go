// Package accuracy measures how well the methods of t2fit estimate a known T2. It fits
// phantom's reference object over a grid of trains, T2, SNR and B1. It compares the estimates
// with the truth, their spread with the Cramér–Rao bound, and the coverage of their intervals
// with the nominal 95 %. It also simulates trials without an effect and counts how often their
// primary test finds a difference. The limits in limits.go were set before anything was
// measured.
//
// T2 is in ms. SNR is S0/σ, where σ is the standard deviation of the noise in each of the two
// channels. B1 is the refocusing angle over 180°.
//
// Run measures; Write writes the tables, the pictures and the page of a Result.
package accuracy

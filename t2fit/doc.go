// Package t2fit estimates T2 in every voxel of a multi-echo series from the
// mono-exponential decay
//
//	S(TE) = S0·exp(−TE/T2)
//
// TE and T2 are in ms, S in the units of the series. Kernels take the echoes of
// one voxel as a slice of numbers and return numbers; Fit hands them the voxels
// of a series, in parallel. A voxel without a sound estimate is NaN and carries
// the reason as its volume.Status.
//
// The package does not correct for stimulated echoes or for the noise floor of
// magnitude images: it leaves out the first echo, which such echoes bias most,
// and says how well the rest fits.
//
// The same echoes give the same bits for any number of workers. Across machines
// that holds up to math.Exp and math.Log: the package's own sums are kept from
// being fused (see kernel), so that they round alike everywhere, but Go computes
// the two functions in assembly on some architectures (Exp on amd64, arm64, loong64
// and s390x, Log on amd64 and s390x), on amd64 by the processor's features too, and
// they may differ in the last bit. Nlls on an even train takes one logarithm, for T2,
// and one exponential, for S0; where R² is low, a table of exponentials chooses
// what it starts from. Other fits take exponentials throughout. Maps are float32,
// which hides most differences in a last bit of float64, not all.
package t2fit

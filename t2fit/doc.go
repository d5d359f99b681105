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
package t2fit

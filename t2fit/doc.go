// Package t2fit estimates T2 in every voxel of a multi-echo series. TE and T2 are in
// ms, S in the units of the series.
//
// Most methods fit the mono-exponential decay S(TE) = S0·exp(−TE/T2). Rician fits its expectation
// under the noise of magnitude images, and EPG the echoes of a train of imperfect refocusing
// pulses. A voxel without a sound estimate is NaN, and its volume.Status has the reason.
//
// An estimator takes the echoes of one voxel as a slice of numbers and returns numbers. The most
// common estimators take a block of voxels at a time, and their loops are in package lanes. Fit
// gathers the voxels of a series into blocks, in parallel, checks the results against the limits of
// the options and writes the maps.
//
// The same echoes give the same bits for any number of workers and on every machine. Sums are
// protected from fused operations that only some machines have (see estimator), and logarithm and
// exponential come from package lanes.
package t2fit

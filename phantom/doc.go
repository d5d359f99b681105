// Package phantom is the digital reference knee: sagittal multi-echo studies of
// an analytic knee whose T2 and S0 are known in every voxel, written as real
// DICOM, in the layouts that scanners use, with a mask beside it. It feeds the
// demo, tests, benchmarks and validation.
//
// The anatomy is a function of place: bones, cartilage, menisci, ligaments,
// muscles, fat, vessels and skin are curves and distances in a sagittal
// section whose parameters change with the distance u from the middle of the
// knee. Cartilage is a shell over the bones; its T2 rises from bone to surface
// by half. Every voxel is one tissue, that at its centre, so its decay is a
// single exponential and the truth is exact; only S0 is smoothed over
// neighbours, which makes the edges look like a scan's.
//
// A Knee answers for any place in the patient and on any grid: tissue, region of the
// cartilage, relative depth, T2 and S0. Regions are divided by their published definitions
// in the phantom's own surfaces (see division), independently of package anatomy, which
// divides masks and is tested against them. A study may have a DESS series beside its T2
// series, with a mask of tissues on the grid of the former, and the patient may move
// between the two and between visits by known transforms.
//
// Units are mm and ms. In the knee's own coordinates u points to medial, p to
// posterior, h to the head; the origin lies on the joint line in the middle of
// the tibia. In the patient (LPS) a right knee lies at negative x and a left
// one at positive x, so that medial faces the midline in both, and the slices
// of one are the mirror image of the other's.
//
// Noise is Rician. It does not do imperfect refocusing (there are no stimulated
// echoes), partial volume, motion, field inhomogeneity or scanner artefacts.
// Results do not depend on the number of processors.
package phantom

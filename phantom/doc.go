// Package phantom is a digital reference knee: sagittal multi-echo studies of an analytic knee whose T2
// and S0 are known in every voxel, written as DICOM with a mask. The demo, tests, benchmarks and
// the validation use it.
//
// The anatomy is a function of position: bones, cartilage, menisci, ligaments,
// muscles, fat, vessels and skin are curves and distances in a sagittal
// section whose parameters change with the distance u from the middle of the
// knee. Cartilage is a shell over the bones; its T2 rises from bone to surface
// by half. Every voxel has one tissue, that at its centre, so that its decay is a
// single exponential and the truth is exact. Only S0 is smoothed over neighbours,
// so that edges look as in a scan.
//
// A Knee returns tissue, region of the cartilage, relative depth, T2 and S0 at any position in the
// patient and on any grid. Regions are divided by their published definitions on the phantom's own
// surfaces (see the type division). This is independent of package anatomy, which divides masks and
// is tested against the phantom. A study may have a DESS series in addition to its T2 series, with
// a mask of tissues on the grid of the DESS series. The patient may move between the two series and
// between visits by known transforms.
//
// Units are mm and ms. In the knee's own coordinates u points to medial, p to
// posterior, h to the head; the origin lies on the joint line in the middle of
// the tibia. In the patient (LPS) a right knee lies at negative x and a left
// one at positive x, so that medial faces the midline in both, and the slices
// of one are the mirror image of the other's.
//
// Noise is Rician. The phantom does not model imperfect refocusing (there are no stimulated
// echoes), partial volume, motion during a series, field inhomogeneity or scanner artefacts.
// Results do not depend on the number of processors.
package phantom

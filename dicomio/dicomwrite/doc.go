// Package dicomwrite writes DICOM files for phantoms and tests: classic MR images
// (Image), enhanced and legacy converted ones with many frames (Enhanced),
// segmentations and label maps (Segmentation) and structure sets (Structures), in
// native pixels and in implicit, explicit, big-endian or deflated transfer syntax.
// It compresses no frames and changes no files.
//
// What an object must say and the caller does not is plain or empty; an Override
// makes it wrong in one place, for tests of readers. The same object gives the same
// bytes: nothing reads the clock or draws a number. Units are ms and mm, LPS.
//
// This package and dicomio are those that see the DICOM library. Neither imports the
// other, so that no mistake is made the same way on both sides; what they share are
// the names in dicomio/internal/elements.
package dicomwrite

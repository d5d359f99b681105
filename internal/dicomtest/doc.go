// Package dicomtest writes DICOM objects that only tests need: enhanced and legacy converted
// MR images with many frames (Enhanced), segmentations and label maps (Segmentation),
// structure sets (Structures), and phantom studies in several layouts (Write).
//
// Attributes that an object must have and the caller does not give are plain or empty. An
// Override makes an object wrong in one place, for tests of readers. The same object gives
// the same bytes: nothing reads the clock or draws a random number. Units are ms and mm, LPS.
package dicomtest

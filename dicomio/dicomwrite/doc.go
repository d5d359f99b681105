// Package dicomwrite writes classic MR images (Image) as DICOM files, for phantoms and
// tests, in native pixels and in implicit, explicit, big-endian or deflated transfer
// syntax. It does not compress frames and does not change files. List, Series, Grid and
// PixelFormat are the parts from which writers of other objects are made, see
// internal/dicomtest.
//
// Attributes that an object must have and the caller does not give are plain or empty. An
// Override makes an object wrong in one place, for tests of readers. The same object gives
// the same bytes: nothing reads the clock or draws a random number. Units are ms and mm,
// LPS.
//
// This package and dicomio do not import each other, so that no mistake is made in the same
// way on both sides. They share the names in dicomio/internal/elements.
package dicomwrite

// Package dicomwrite writes classic MR images (Image) as DICOM files, for phantoms and
// tests, in native pixels and in implicit, explicit, big-endian or deflated transfer
// syntax. It does not compress frames and does not change files. List, Series, Grid and
// PixelFormat are the parts from which writers of other objects are made, see
// internal/dicomtest.
//
// Required attributes that the caller does not set get a plain value or stay empty. An
// Override makes one attribute of an object wrong, for tests of readers. Equal objects have
// equal bytes: the package uses neither the clock nor random numbers. Units are ms and mm,
// LPS.
//
// This package and dicomio do not import each other, so that a mistake in one does not hide
// the same mistake in the other. They share the names in dicomio/internal/elements.
package dicomwrite

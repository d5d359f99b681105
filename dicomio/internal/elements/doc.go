// Package elements reads the data elements of DICOM files that may be damaged or
// hostile. Guard walks a file, holds every length against the bytes that are there,
// and gathers the elements that are wished for; Outline.Parse lets the DICOM library
// make a Dataset of these, and of nothing else.
//
// The library allocates what an element's length promises before it reads a byte of
// it, so that a file of 500 bytes can ask for 4 GiB, which no recover catches; it
// follows sequences to any depth; and one private element that it stumbles over
// costs it the file. What it is handed here is small, whole, in explicit VR and in
// value representations that it knows, and a panic of its is an error.
//
// The package knows how elements are written (PS3.5, PS3.10), and of what they mean
// only which hold text and in which character set; but names that dicomio and
// dicomwrite both need stand here (classes.go, private.go).
package elements

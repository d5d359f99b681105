// Package elements reads the data elements of DICOM files that may be damaged or hostile.
// Guard walks a file, compares every length with the bytes that are present, and gathers
// the wanted elements; Outline.Parse then lets the DICOM library parse only these into a
// Dataset.
//
// The library allocates the declared length of an element before it reads a byte of it, so
// that a file of 500 bytes can ask for 4 GiB, which no recover catches; it follows
// sequences to any depth; and one private element that it cannot parse makes the whole file
// unreadable. Its input here is small, complete, in explicit VR and in value
// representations that it knows. If it panics, that is an error.
//
// The package knows the encoding of elements (PS3.5, PS3.10). Of their meaning it only
// knows which contain text, and in which character set. Names that both dicomio and
// dicomwrite need are in classes.go and private.go.
package elements

// Package dicomio reads and writes DICOM. It finds the multi-echo MR series
// ("trains") under a folder by what the files say, checks that every slice has
// every echo on one grid, and decodes them; and it writes MR images of one frame
// and of many, segmentations and structure sets, for phantoms and tests. It is
// the one package that sees the DICOM library.
//
// A study is a StudyInstanceUID. Within it a train is a set of images of one
// series and image type that differ in EchoTime and slice position alone; file
// names, SliceLocation, EchoNumbers and InstanceNumber are never asked, since
// scanners fill them in their own ways.
//
// Nothing is guessed: a missing echo time or geometry, a gap, a duplicate is an
// error that names the file and the attribute. Units are ms and mm, LPS.
//
// Read are single-frame MR images, uncompressed or deflated. Multi-frame
// objects and compressed pixels are recognised and refused as ErrUnsupported.
package dicomio

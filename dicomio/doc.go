// Package dicomio reads DICOM. It finds the multi-echo MR series
// ("trains") under a folder or in an archive by what the files say, checks that
// every slice has every echo on one grid, and decodes them; and it puts
// segmentations and structure sets on such a grid. It and dicomwrite, which writes
// for phantoms and tests, are the packages that see the DICOM library.
//
// A study is a StudyInstanceUID. Within it a train is a set of images of one
// series and kind that differ in echo time and slice position alone; file names,
// SliceLocation, EchoNumbers, InstanceNumber and the order of frames do not decide
// which image is which, since scanners fill them in their own ways. A series for each
// echo makes one train where geometry, frame of reference and sequence agree. Numbers
// are compared with the tolerances of tolerance.go.
//
// An image is a classic MR image or a frame of an enhanced or legacy converted one.
// Pixels may be native, deflated or compressed in any syntax that package codec
// knows. Phase, real and imaginary parts and maps that the scanner computed are left
// out and counted.
//
// Nothing is guessed: a missing echo time or geometry, a gap, a duplicate is an
// error that names the file, the frame and the attribute. And nothing is believed:
// lengths, counts and depths are held against the bytes that are there before
// anything is allocated. Units are ms and mm, LPS.
package dicomio

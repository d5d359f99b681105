// Package dicomio reads DICOM. It finds the multi-echo MR series ("trains") under a folder
// or in an archive from the headers of the files, checks that every slice has every echo on
// one grid, and decodes them. It also reads segmentations and structure sets onto such a
// grid. Only this package and dicomwrite use the DICOM library.
//
// A study is a StudyInstanceUID. Within it a train is a set of images of one series and
// kind that differ only in echo time and slice position. File names, SliceLocation,
// EchoNumbers, InstanceNumber and the order of frames do not decide which image is which,
// since scanners use them in different ways. Series of one echo each form a train if they
// agree in geometry, frame of reference and sequence. Numbers are compared with the
// tolerances of tolerance.go.
//
// An image is a classic MR image or a frame of an enhanced or legacy converted object.
// Pixels may be native, deflated or compressed in any syntax of package codec. Phase, real
// and imaginary parts and maps computed by the scanner are omitted and counted.
//
// Nothing is guessed: a missing echo time or geometry, a gap or a duplicate is an error
// that names the file, the frame and the attribute. Headers are not trusted: lengths,
// counts and depths are compared with the bytes that are present before memory is
// allocated. Units are ms and mm, LPS.
package dicomio

// Package files lists and opens the files under searched folders. Archives (zip, tar,
// gzipped tar) are read as if they were folders. Nothing is written under a name that comes
// from an archive, and nothing is left on the disk.
//
// A root is a folder, file or archive that is searched. An entry is one file below it. A
// path opens an entry. A name identifies it for people: it is relative to the root, with
// slashes, inside archives and outside. A file is an archive if it has both the extension
// and the first bytes of one. Archives within archives are ordinary files.
//
// Archives are not trusted. Names that lead out of them, sizes that do not match their
// contents and bytes above the Limits are refused. An archive in which damage is found is
// refused as a whole, because the part of a study that is left may look like a study with
// fewer echoes.
//
// Sizes are in bytes. The package does not know DICOM and does not write archives.
package files

// Package files lists what lies under searched folders and opens it. Archives
// (zip, tar, gzipped tar) are read as if they were folders; nothing of them is
// ever written under a name of theirs, and nothing is left on the disk.
//
// A root is a folder, file or archive that is searched. An entry is one file
// below it. A path leads to an entry, for programs; a name is what people call
// it: below the root, with slashes, in archives and out of them alike. An archive
// is what has both the name and the first bytes of one; archives within archives
// are files like others.
//
// Archives come from strangers. What of them can be harmful is refused: names
// that lead out of them, sizes that they do not hold, bytes beyond the Limits. An
// archive that is damaged anywhere it was looked at is refused as a whole: what is
// left of a study in half an archive may pass for a study with fewer echoes.
//
// Sizes are in bytes. The package knows no DICOM, and it does not write archives.
package files

package dicomio

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/files"
)

// Passed counts the skipped files by reason, or the skipped images if they are frames of one
// file.
type Passed struct {
	// files and folders of operating systems and editors (files.Tree.Litter); not counted in Finding.Files
	Litter        int `json:"litter"`
	DanglingLinks int `json:"dangling_links"` // dangling symbolic links
	NotDICOM      int `json:"not_dicom"`      // text, NIfTI and other files
	DICOMDIR      int `json:"dicomdir"`       // media directories
	OtherModality int `json:"other_modality"` // not MR images: other modalities, reports, secondary captures
	Derived       int `json:"derived"`        // maps computed by the scanner; phase, real and imaginary parts
	// MR images of series that are not trains: scouts, PD-weighted; not those in Train.LeftOut
	OtherSeries int `json:"other_series"`
}

// Plus returns the sums.
func (p Passed) Plus(other Passed) Passed {
	return Passed{
		Litter: p.Litter + other.Litter, DanglingLinks: p.DanglingLinks + other.DanglingLinks,
		NotDICOM: p.NotDICOM + other.NotDICOM, DICOMDIR: p.DICOMDIR + other.DICOMDIR,
		OtherModality: p.OtherModality + other.OtherModality, Derived: p.Derived + other.Derived,
		OtherSeries: p.OtherSeries + other.OtherSeries,
	}
}

// Finding is the result of Find, or of a Search for one chunk.
type Finding struct {
	// Chunk is the chunk that was read; nil if everything was.
	Chunk *Chunk
	// Studies are the studies with MR images, sorted by folder and UID.
	Studies []Study
	// Passed counts the files that belong to no study.
	Passed Passed
	// Damaged are unreadable files that do not fail a study: they do not name their study,
	// or name one that is not here, or are copies.
	Damaged []error
	// Strangers are the paths of the files that are not DICOM, in the order of
	// Tree.Entries.
	Strangers []string
	// Files is the number of files that were read.
	Files int
	// Tree lists the files and opens them.
	Tree *files.Tree
}

// Close closes the archives. Nothing can be read from them afterwards.
func (f Finding) Close() error {
	if f.Tree == nil {
		return nil
	}
	return f.Tree.Close()
}

// Place says which study it is and where its files lie.
type Place struct {
	// Hash names the study: 12 hex digits of the SHA-256 of its UID.
	Hash string
	// Root is the searched folder, and Folder the deepest folder that contains all files of
	// the study. RootName is the beginning of the names of its files if several folders are
	// searched, and otherwise empty.
	Root, RootName, Folder string
}

// Study is one StudyInstanceUID.
type Study struct {
	Place
	// Home is the topmost folder, not above Root, that contains files of this study and of
	// no other multi-echo study. It is empty if even Folder contains such files, and for a
	// study without a multi-echo series. A report, a CT or a scout beside the knee does not
	// matter.
	Home string
	// PatientID, TrialSubject and TrialTimepoint are attributes of its images
	// (0010,0020), (0012,0040), (0012,0050).
	PatientID, TrialSubject, TrialTimepoint string
	// Trains are its multi-echo series, with and without a Problem, sorted by series number
	// and UID.
	Trains []Train
	// Suspects are series that would be trains if their headers were right: with several
	// images per position with one echo time or none, of a quantity other than T2, or with
	// frames of reference of their own. They matter in a study without a train.
	Suspects []Train
	// Others are its other MR image series: scouts, PD-weighted ones.
	Others []Train
	// Masks are segmentations and structure sets of the study.
	Masks []MaskObject
	// Damaged are unreadable files that name this study, any of which may be part of a
	// train, and files whose study attributes contradict the others.
	Damaged []error
	// Spoiled are damaged files in this study's folder that may belong to any study, and
	// damaged copies of its images, all of which are also in Finding.Damaged; and dangling
	// links in its folder.
	Spoiled []error
	// Passed counts the study's files that do not belong to a train.
	Passed Passed

	// its readable images by UID, including parts of the complex signal; nil once Find is done
	instances map[string][]*header
	members   []string // hashes of the UIDs that joinScattered joined
	secrets   secrets  // names and dates, which no displayed text may contain
}

// hasSound reports whether the study has the image that a damaged file is a copy of. If
// several images share its UID, the UID proves nothing: a missing image may have it too.
func (s *Study) hasSound(damaged *header) bool {
	same := s.instances[damaged.instance]
	if i := slices.IndexFunc(same, func(h *header) bool { return h.mayBe(damaged) }); i < 0 {
		return false
	}
	located := damaged.te == damaged.te && damaged.position[0] == damaged.position[0]
	return located || !slices.ContainsFunc(same, func(h *header) bool { return !h.mayBe(same[0]) })
}

// holds reports whether a file that does not name its study lies in this study's folder.
func (s Study) holds(e *entry) bool { return s.Home != "" && files.Inside(s.own(), e.path) }

// own returns the folder whose files without a study are attributed to this study: its
// home. If home is a searched folder and the study lies deeper, it is the folder below
// home, because other things may lie beside it.
func (s Study) own() string {
	root := files.Absolute(s.Root)
	if s.Home != root || !files.Inside(root, s.Folder) || files.Absolute(s.Folder) == root {
		return s.Home
	}
	first, _, _ := strings.Cut(files.Below(root, s.Folder), "/")
	return filepath.Join(root, first)
}

// newStudy sorts the files of one study into trains and the rest.
func newStudy(uid string, entries []*entry, scaling PhilipsScaling) Study {
	s := Study{Place: Place{Hash: hash(uid), Root: entries[0].root, RootName: entries[0].rootName,
		Folder: filepath.Dir(entries[0].path)}, instances: map[string][]*header{}}
	var images []*header
	for _, e := range entries {
		s.Folder = common(s.Folder, filepath.Dir(e.path))
		switch {
		case e.isMask():
			s.Masks = append(s.Masks, maskObject(&e.header, e.err))
			continue
		case !e.isMRImage():
			s.Passed.OtherModality++
			continue // the patient does not matter
		}
		images = append(images, e.images...)
		s.recordPatient(&e.header)
		if e.instance != "" {
			s.instances[e.instance] = append(s.instances[e.instance], &e.header)
		}
	}
	images, s.Passed.Derived = magnitudes(images)
	s.Trains, s.Suspects, s.Others = trains(images, scaling)
	s.Others = slices.DeleteFunc(s.Others, func(t Train) bool {
		switch {
		case t.leftOut:
			return false
		case t.images[0].asMap:
			s.Passed.Derived += t.Images
			return true
		}
		s.Passed.OtherSeries += t.Images
		return false
	})
	s.gather(entries)
	s.keepSecrets()
	return s
}

// recordPatient records the patient of the study. It is an error if a study has two patients.
func (s *Study) recordPatient(h *header) {
	for _, a := range []struct {
		tag   tag.Tag
		known *string
		got   string
	}{
		{tag.PatientID, &s.PatientID, h.patientID},
		{tag.ClinicalTrialSubjectID, &s.TrialSubject, h.trialSubject},
		{tag.ClinicalTrialTimePointID, &s.TrialTimepoint, h.trialVisit},
	} {
		switch {
		case *a.known == "":
			*a.known = a.got
		case a.got != "" && a.got != *a.known:
			e := h.wrong(a.tag, "differs from that of other images of the study")
			e.Hint = "separate the studies, or ask the site which is right"
			s.Damaged = append(s.Damaged, e)
		}
	}
}

// MultiEcho reports whether the study has a multi-echo series, or one that would be if its
// echo times were right, and so may need a mask.
func (s Study) MultiEcho() bool { return len(s.Trains)+len(s.Suspects) > 0 }

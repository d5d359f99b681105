package dicomio

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/parallel"
)

// FindOptions says how to search. The zero value searches everything.
type FindOptions struct {
	// Workers is the number of files read at a time; 0 means one per processor.
	Workers int
	// Exclude is a folder that is not entered, such as the folder of results, unless it is
	// a root itself; "" excludes nothing.
	Exclude string
	// ChunkFiles is the largest number of files in a folder that a Search does not divide,
	// unless the folder is a root; 0 means 4096.
	ChunkFiles int
	// PhilipsScaling says which values of Philips images are mapped; empty means
	// display values.
	PhilipsScaling PhilipsScaling
	// Progress, if set, is called with the number of files read so far and the total
	// number. Calls do not overlap.
	Progress func(done, all int)
}

// entry is a file with its header and images, or the reason why it cannot be read.
type entry struct {
	header
	images   []*header // its image, or its frames
	root     string
	rootName string
	err      error
}

// Find reads the headers of all files under the roots, whatever their names, and of those
// in archives, and returns the studies with their trains. Symbolic links are followed, and
// no file is read twice.
//
// A file that cannot be read is part of the finding. It is an error if a root cannot be
// listed, the server of a bucket does not answer or ctx ends. The caller must close the finding
// when nothing more is read from it.
func Find(ctx context.Context, roots []string, o FindOptions) (Finding, error) {
	tree, err := files.List(ctx, roots, o.Exclude, files.Limits{})
	if err != nil {
		return Finding{}, err
	}
	entries, err := readAll(ctx, tree, o, counter(tree.Len(), o.Progress))
	if err != nil {
		return Finding{}, err
	}
	return finding(tree, entries, o, nil), nil
}

// finding sorts the entries of a tree into studies.
func finding(tree *files.Tree, entries []*entry, o FindOptions, part *scope) Finding {
	f := sortOut(entries, o.PhilipsScaling, part)
	f.Tree, f.Passed.Litter = tree, tree.Litter()
	return f
}

// readAll reads the headers of all files of the tree, and calls progress after each. After
// an error the tree is closed.
func readAll(ctx context.Context, tree *files.Tree, o FindOptions, progress func()) ([]*entry, error) {
	// Allocated one by one: an array would stay in memory as long as one of them is used.
	var entries []*entry
	unread := &texts{} // shared by all files until they are parsed
	for _, f := range tree.Entries() {
		e := &entry{header: header{path: f.Path, name: f.Name, tree: tree, texts: unread}, root: f.Root,
			rootName: f.RootName}
		e.err = e.ioError(f.Err)
		entries = append(entries, e)
	}
	known := knownTexts{shared: map[texts]*texts{}}
	err := parallel.Each(ctx, len(entries), o.Workers, func(i int) error {
		e := entries[i]
		if e.err == nil {
			e.err = e.parseFile()
			if files.Outage(e.err) {
				return e.err // it is not that of the file, without which the study would look complete or gone
			}
			known.share(&e.header)
			for _, h := range e.images {
				known.share(h)
			}
		}
		progress()
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	return entries, nil
}

// counter returns a function that reports that one more is done; a nil report is never
// called.
func counter(all int, report func(done, all int)) func() {
	if report == nil {
		return func() {}
	}
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		report(done, all)
	}
}

// parseFile reads the headers of the entry's file.
func (e *entry) parseFile() error {
	opened, err := e.open()
	if err != nil {
		return err
	}
	defer opened.Close()
	f := &watched{File: opened}
	e.size = f.Size()
	e.images, err = e.parse(f)
	if broken := f.Broken(); broken != nil && !errors.Is(err, elements.ErrNotDICOM) {
		return e.ioError(broken) // anything missing at its end is a consequence
	}
	if err == nil {
		e.noteHead(f)
		for _, h := range e.images {
			h.head, h.written = e.head, e.written
		}
	}
	if f.outage != nil {
		return e.ioError(f.outage) // whatever the bytes that were not read made of the header
	}
	return err
}

// watched is an open file that keeps the error of a bucket whose server does not answer.
type watched struct {
	*files.File
	outage error
}

// ReadAt reads from the file.
func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.File.ReadAt(p, off)
	if files.Outage(err) {
		w.outage = err
	}
	return n, err
}

// open opens the file. It returns elements.ErrNotDICOM for a pipe or device.
func (h *header) open() (*files.File, error) {
	f, err := h.tree.Open(h.path)
	if errors.Is(err, files.ErrNotRegular) {
		return nil, elements.ErrNotDICOM
	}
	return f, h.ioError(err)
}

// SOP classes that are distinguished (PS3.4 B.5 and PS3.3 F).
const (
	directoryClass      = "1.2.840.10008.1.3.10"
	mrImageClass        = elements.MRImageStorage
	enhancedMRClass     = elements.EnhancedMRImageStorage
	legacyEnhancedClass = elements.LegacyConvertedMRStorage
)

// isMRImage reports whether the SOP class is that of a classic or multi-frame MR image.
func (h *header) isMRImage() bool {
	return h.sopClass == mrImageClass || h.multiFrame()
}

func (h *header) multiFrame() bool {
	return h.sopClass == enhancedMRClass || h.sopClass == legacyEnhancedClass
}

// sortOut turns the entries into studies. They are all entries of a search if part is nil.
func sortOut(entries []*entry, scaling PhilipsScaling, part *scope) Finding {
	f := Finding{Files: len(entries)}
	groups, damaged, dangling := f.divide(entries)
	part.noteStudies(groups, damaged)
	part.noteGuests(groups, damaged)
	problems := joinScattered(groups, part)
	studies := map[string]Study{}
	for uid, entries := range groups {
		s := newStudy(uid, entries, scaling)
		if problem := problems[uid]; problem != nil {
			s.Damaged = []error{problem}
			for _, member := range strings.Split(uid, `\`) {
				s.members = append(s.members, hash(member))
			}
		}
		studies[uid] = s
	}
	part.noteTrains(groups, studies)
	homes := newHomes(groups, studies)
	part.close(homes)
	for uid, s := range studies {
		s.Home = homes.find(uid, s)
		f.Studies = append(f.Studies, s)
	}
	f.dropForeign()
	slices.SortFunc(f.Studies, func(a, b Study) int {
		return cmp.Or(strings.Compare(a.Folder, b.Folder), strings.Compare(a.Hash, b.Hash))
	})
	f.assignAll(damaged)
	for _, e := range dangling { // each may have led to an echo
		for i := range f.Studies {
			if s := &f.Studies[i]; s.holds(e) {
				s.Spoiled = append(s.Spoiled, e.err)
			}
		}
	}
	for i := range f.Studies {
		f.Studies[i].instances = nil
	}
	return f
}

// divide groups the entries by study and counts those that belong to none. Damaged files
// and dangling links may belong to any.
func (f *Finding) divide(entries []*entry) (groups map[string][]*entry, damaged, dangling []*entry) {
	groups = map[string][]*entry{}
	for _, e := range entries {
		switch {
		case errors.Is(e.err, elements.ErrNotDICOM):
			f.Passed.NotDICOM++
			f.Strangers = append(f.Strangers, e.path)
		case errors.Is(e.err, files.ErrDangling):
			f.Passed.DanglingLinks++
			dangling = append(dangling, e)
		case e.sopClass == directoryClass:
			f.Passed.DICOMDIR++
		case e.sopClass == "" && e.err == nil:
			e.err = e.wrong(tag.SOPClassUID, "missing")
			damaged = append(damaged, e)
		case e.sopClass == "" || e.isMRImage() && e.err != nil:
			damaged = append(damaged, e)
		case e.isMRImage() && e.study == "":
			e.err = e.wrong(tag.StudyInstanceUID, "missing")
			damaged = append(damaged, e)
		case e.study == "":
			f.Passed.OtherModality++
		default:
			// Other faults of an object that is not an MR image do not affect a T2 map: a
			// report has no pixels at all.
			groups[e.study] = append(groups[e.study], e)
		}
	}
	return groups, damaged, dangling
}

// dropForeign removes the studies without an MR image, such as a CT or a report beside the
// knees, and counts their files.
func (f *Finding) dropForeign() {
	f.Studies = slices.DeleteFunc(f.Studies, func(s Study) bool {
		foreign := len(s.Trains)+len(s.Suspects)+len(s.Others)+s.Passed.Derived == 0
		if foreign {
			f.Passed.OtherModality += s.Passed.OtherModality + len(s.Masks)
		}
		return foreign
	})
}

// assignAll assigns each damaged file to the study that it names, since it may have been an
// echo. If the study has an image with its instance UID, echo time and position, the file
// is only a damaged copy. A file that does not name its study may belong to any. Copies and
// files without a study are listed separately, and in the study in whose folder they lie;
// they do not fail it, since the check that every slice has every echo is made in any case.
func (f *Finding) assignAll(damaged []*entry) {
	byHash, byFolder := map[string]*Study{}, map[string][]*Study{}
	for i := range f.Studies {
		s := &f.Studies[i]
		byHash[s.Hash] = s
		for _, member := range s.members {
			byHash[member] = s
		}
		if s.Home != "" {
			own := files.Absolute(s.own())
			byFolder[own] = append(byFolder[own], s)
		}
	}
	for _, e := range damaged {
		s := byHash[hash(e.study)]
		switch {
		case e.study == "":
			for dir := files.Absolute(e.path); ; dir = filepath.Dir(dir) {
				for _, s := range byFolder[dir] {
					s.Spoiled = append(s.Spoiled, e.err)
				}
				if dir == filepath.Dir(dir) {
					break
				}
			}
		case s != nil && !s.hasSound(&e.header):
			s.Damaged = append(s.Damaged, e.err)
			continue
		case s != nil:
			s.Spoiled = append(s.Spoiled, e.err)
		}
		f.Damaged = append(f.Damaged, e.err)
	}
}

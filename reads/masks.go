package reads

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/t2map/t2map/outfile"
)

// Masks are what readers have decided about all studies in a folder of results. They say which mask of a study is used.
type Masks struct {
	results string
	decided map[Key][]decision
}

// decision is the revision of a reader's reads of a study that counts: the last one that is not a question.
type decision struct {
	Read
	sum string // of read.json
	err error  // the reads cannot be read
}

// FindMasks reads the reads in a folder of results. Hidden repeats are skipped: they only show how well a reader repeats a
// read.
func FindMasks(results string) (*Masks, error) {
	archive := Look(results)
	readers, err := archive.Readers()
	if err != nil {
		return nil, err
	}
	m := &Masks{results: results, decided: map[Key][]decision{}}
	for _, reader := range readers {
		keys, err := archive.Keys(reader)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if k.Repeat > 0 {
				continue
			}
			h, err := archive.store.history(reader, k)
			if err != nil {
				m.decided[k] = append(m.decided[k], decision{err: err})
			} else if d, ok := h.decision(); ok {
				m.decided[k] = append(m.decided[k], d)
			}
		}
	}
	return m, nil
}

// folder returns the folder of a read below the folder of results, with slashes.
func (r Read) folder() string {
	return path.Join(Folder, r.Reader, r.Key.String(), strconv.Itoa(r.Revision))
}

// mask returns the mask of the read.
func (d decision) mask(results string) SignedMask {
	name := path.Join(d.folder(), maskFile)
	return SignedMask{Read: d.Read, Path: filepath.Join(results, filepath.FromSlash(name)), Name: name, Sum: d.sum}
}

// SignedMask is a mask that a reader has signed.
type SignedMask struct {
	Read
	// Path is the file of the mask, and Name its path below the folder of results, with slashes.
	Path, Name string
	// Sum is the SHA-256 of its read.json.
	Sum string
}

// Rule says which masks are used.
type Rule struct {
	// Adjudicated uses only what an adjudicator has signed.
	Adjudicated bool
	// Required makes a study without a signed mask an error.
	Required bool
	// Readers is the number of readers who must have signed or rejected a study before their masks are used; 0 means 1.
	Readers int
}

// Find returns the signed mask of a study, by the hashes of its UIDs; nil if there is none and none is required. What an
// adjudicator has decided comes first. Otherwise all readers must have signed the same voxels, and as many as the rule
// wants must have decided: before that, the study is treated as one without a signed mask.
//
// The error is a *StaleError if a reader has decided after an adjudicator, a *RejectedError if the study is rejected, and
// a *DisagreeError if readers have signed different masks. It wraps ErrNotSigned if a signed mask is required and there is
// none; it is then a *TooFewError if some readers have decided, but not enough.
func (m *Masks) Find(study, series string, rule Rule) (*SignedMask, error) {
	if m == nil {
		m = &Masks{}
	}
	all := m.decided[Key{Study: study, Series: series}]
	for _, l := range all {
		if l.err != nil {
			return nil, l.err
		}
	}
	if decided := adjudicated(all); len(decided) > 0 {
		if err := checkCurrent(decided, all); err != nil {
			return nil, err
		}
		all = decided
	} else if err := rule.missing(len(all)); err != nil {
		if !rule.Required {
			err = nil
		}
		return nil, err
	}
	var signed []decision
	for _, l := range all {
		if l.State == Rejected {
			return nil, &RejectedError{Reader: l.Reader, Reason: l.Reason}
		}
		signed = append(signed, l)
	}
	first := signed[0]
	for _, l := range signed {
		if l.Mask != first.Mask {
			return nil, &DisagreeError{Readers: [2]string{first.Reader, l.Reader}}
		}
	}
	mask := first.mask(m.results)
	if _, err := os.Stat(mask.Path); err != nil {
		return nil, fmt.Errorf("%s: %w", mask.Name, outfile.Bare(err))
	}
	return &mask, nil
}

// adjudicated returns what adjudicators have decided.
func adjudicated(all []decision) []decision {
	return slices.DeleteFunc(slices.Clone(all), func(l decision) bool { return !l.IsAdjudicated() })
}

// checkCurrent returns a *StaleError if a reader has decided again after an adjudicator has decided.
func checkCurrent(decided, all []decision) error {
	for _, a := range decided {
		for _, l := range all {
			if !l.IsAdjudicated() && !slices.Contains(a.Adjudicates, l.sum) {
				return &StaleError{Adjudicator: a.Reader, Reader: l.Reader}
			}
		}
	}
	return nil
}

// StaleError says that a reader has decided again, or for the first time, after an adjudicator has decided.
type StaleError struct{ Adjudicator, Reader string }

// Error names both.
func (e *StaleError) Error() string {
	return fmt.Sprintf("reader %s signed after adjudicator %s had decided", e.Reader, e.Adjudicator)
}

// missing returns which decision is missing if that many readers, and no adjudicator, have decided about a study; nil if
// none is missing.
func (r Rule) missing(decided int) error {
	switch {
	case r.Adjudicated:
		return errNotAdjudicated
	case decided == 0:
		return ErrNotSigned
	case decided < r.Readers:
		return &TooFewError{decided, r.Readers}
	}
	return nil
}

// ErrNotSigned says that no reader has signed the mask of a study.
var ErrNotSigned = errors.New("no reader has signed the mask")

var errNotAdjudicated = fmt.Errorf("%w as adjudicator", ErrNotSigned)

// TooFewError says that only some of the readers have decided about a study. Signed counts those who have signed a mask or a
// rejection.
type TooFewError struct{ Signed, Wanted int }

// Error gives both numbers.
func (e *TooFewError) Error() string {
	have := "have"
	if e.Signed == 1 {
		have = "has"
	}
	return fmt.Sprintf("%d of %d readers %s signed", e.Signed, e.Wanted, have)
}

// Unwrap returns ErrNotSigned.
func (e *TooFewError) Unwrap() error { return ErrNotSigned }

// RejectedError says that a reader has rejected a study.
type RejectedError struct{ Reader, Reason string }

// Error gives reader and reason.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("reader %s has rejected the study: %q", e.Reader, e.Reason)
}

// DisagreeError says that readers have signed different masks of a study.
type DisagreeError struct{ Readers [2]string }

// Error names the readers.
func (e *DisagreeError) Error() string {
	return fmt.Sprintf("readers %s and %s have signed different masks", e.Readers[0], e.Readers[1])
}

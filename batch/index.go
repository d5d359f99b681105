package batch

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/table"
)

// The state of an output folder lets a run omit what an earlier run has done. It can be removed: then the next run
// reads all headers, results and inputs.

// stateFolder is the folder of the state in the output folder.
const stateFolder = ".t2map"

// The files of the state have a JSON value in each line. The first line of the index names the settings on which the
// other lines depend.
const (
	indexFile   = "index.jsonl"   // the chunks that were read, with their studies
	entriesFile = "results.jsonl" // the results
)

// indexFormat is the number of times that the meaning of the index has changed.
const indexFormat = 1

// storedChunk is a line of the index.
type storedChunk struct {
	Digest  string         `json:"digest"`
	Facts   dicomio.Facts  `json:"facts"`
	Passed  dicomio.Passed `json:"passed"`
	Files   int            `json:"files"`
	Notes   notes          `json:"notes"`
	Studies []storedStudy  `json:"studies,omitempty"`
}

// storedStudy is a study in a line of the index. Its folder is relative to the root with the given index.
type storedStudy struct {
	Root     int         `json:"root"`
	Folder   string      `json:"folder"`
	Unlisted bool        `json:"unlisted,omitempty"`
	Inputs   digest      `json:"inputs,omitzero"`
	Outside  *stamp      `json:"outside,omitempty"`
	Read     string      `json:"read,omitempty"`
	Line     intake.Line `json:"line"`
}

// stored returns the line of the index for a chunk. It returns false if the chunk must be read again by the next run:
// a problem may be mended without a trace, and codes that may identify a patient must not be stored.
func (c *chunk) stored(roots []string, hasLayout bool) (storedChunk, bool) {
	out := storedChunk{Digest: c.Digest, Facts: c.facts, Passed: c.passed, Files: c.files, Notes: c.notes}
	if len(c.damaged)+len(c.strays) > 0 {
		return out, false
	}
	for _, one := range c.studies {
		root := slices.Index(roots, files.Absolute(one.Root))
		if one.err != nil && !one.unread || len(one.damaged) > 0 || root < 0 || hasLayout && !one.public() {
			return out, false
		}
		folder, err := filepath.Rel(roots[root], files.Absolute(one.Folder))
		if err != nil {
			return out, false // on another volume
		}
		s := storedStudy{Root: root, Folder: filepath.ToSlash(folder), Unlisted: one.unlisted, Inputs: one.inputs,
			Outside: one.outside, Read: one.read, Line: one.Line}
		s.Line.Root, s.Line.Folder = "", ""
		if !hasLayout {
			s.Line.PatientID, s.Line.TrialSubject = "", "" // needed for layouts only
		}
		out.Studies = append(out.Studies, s)
	}
	return out, true
}

// public reports whether the codes of a study are in the tables in any case, so that they may be stored.
func (one *sighting) public() bool {
	if one.Secret {
		return false
	}
	for _, code := range []string{one.PatientID, one.TrialSubject} {
		if code != "" && !table.IsAlike(code, one.Identity.Subject) && !table.IsAlike(code, one.Identity.Visit) {
			return false
		}
	}
	return true
}

// hashes matches what names studies and series: part of a SHA-256 in hexadecimal.
var hashes = regexp.MustCompile(`^[0-9a-f]{12}$`)

// valid reports whether a line of the index may be what a run has written. Another program may have changed it.
func (s storedStudy) valid(roots int) bool {
	return s.Root >= 0 && s.Root < roots && hashes.MatchString(s.Line.Hash) && s.Line.Trains >= 0 &&
		(s.Unlisted || hashes.MatchString(s.Line.Series))
}

// chunk returns the chunk that a line of the index describes.
func (s storedChunk) chunk(roots []string) (*chunk, bool) {
	c := &chunk{found: &found{facts: s.Facts, passed: s.Passed, files: s.Files, notes: s.Notes, recalled: true}}
	for _, st := range s.Studies {
		if !st.valid(len(roots)) || s.Files < 0 {
			return nil, false
		}
		one := &sighting{Line: st.Line, unlisted: st.Unlisted, inputs: st.Inputs, outside: st.Outside,
			read: st.Read, unread: strings.HasPrefix(st.Read, unreadMark)}
		one.Root = roots[st.Root]
		one.Folder = filepath.Join(one.Root, filepath.FromSlash(st.Folder))
		c.studies = append(c.studies, one)
	}
	return c, true
}

// indexKey returns the hash of the settings on which the index depends.
func (r *session) indexKey(roots []string) string {
	rules := r.rules()
	// See Intake.Renew, and failures are not stored.
	rules.Manifest, rules.ManifestFormat, rules.Memory = "", table.Format{}, pipeline.Bound{}
	text, err := json.Marshal(rules)
	if err != nil {
		return "" // no index has this key
	}
	settings, err := pipeline.NewRequests(r.Protocol)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%d %s %q %t %q\n%s\n", indexFormat,
		settings.Of(pipeline.Identity{}, "", ""), roots, r.Manifest != "", pipeline.Version, text)))
}

// readIndex returns the chunks of the index by their digests. Without an index that suits the settings it is empty.
func (r *session) readIndex(search *dicomio.Search) map[string]*chunk {
	known := map[string]*chunk{}
	if r.VerifyInputs {
		return known
	}
	key := r.indexKey(search.Roots())
	first := true
	_ = eachLine(filepath.Join(r.Out, stateFolder, indexFile), func(line []byte) error {
		if first {
			first = false
			var stored string
			if json.Unmarshal(line, &stored) != nil || stored != key || key == "" {
				return io.EOF
			}
			return nil
		}
		var s storedChunk
		if err := json.Unmarshal(line, &s); err != nil {
			return err // what follows is not known
		}
		if c, ok := s.chunk(search.Roots()); ok {
			known[s.Digest] = c
		}
		return nil
	})
	return known
}

// writeIndex writes the index of the cohort.
func (r *session) writeIndex(c *cohort) error {
	roots := c.search.Roots()
	hasLayout := r.Layout != "" || r.Protocol.Layout != ""
	return r.writeState(indexFile, func(write func(any) error) error {
		if err := write(r.indexKey(roots)); err != nil {
			return err
		}
		for _, part := range slices.Concat(c.chunks, c.replaced) {
			if s, ok := part.stored(roots, hasLayout); ok {
				if err := write(s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// readEntries returns the entries of the state by their folders.
func readEntries(out string) map[string]entry {
	known := map[string]entry{}
	_ = eachLine(filepath.Join(out, stateFolder, entriesFile), func(line []byte) error {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		known[e.Folder] = e
		return nil
	})
	return known
}

// writeEntries writes the results that can be read.
func (r *session) writeEntries() error {
	return r.writeState(entriesFile, func(write func(any) error) error {
		for e := range r.ledger.all().entries() {
			if err := write(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeState writes a file of the state.
func (s Settings) writeState(name string, fill func(write func(any) error) error) error {
	folder := filepath.Join(s.Out, stateFolder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	err := outfile.Stash(filepath.Join(folder, name), func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 1<<16)
		lines := json.NewEncoder(buffered)
		return errors.Join(fill(lines.Encode), buffered.Flush())
	})
	if err != nil {
		return fmt.Errorf("output folder: %s/%s: %w", stateFolder, name, outfile.Bare(err))
	}
	return nil
}

// sweepState removes the unfinished files of a killed run.
func (s Settings) sweepState() {
	for _, folder := range []string{stateFolder, filepath.Join(stateFolder, shardFolder)} {
		names, _ := os.ReadDir(filepath.Join(s.Out, folder)) // a folder that is not there has no files
		for _, n := range names {
			if strings.HasPrefix(n.Name(), ".") && strings.Contains(n.Name(), ".json") {
				_ = os.Remove(filepath.Join(s.Out, folder, n.Name())) // it does no harm
			}
		}
	}
}

// eachLine calls do with the lines of a file until one returns an error. A line that has no end is not complete and is
// omitted.
func eachLine(path string, do func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewReaderSize(f, 1<<16); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		if err := do(bytes.TrimSuffix(line, []byte{'\n'})); err != nil {
			return err
		}
	}
}

// newInputs returns the hash of the list of inputs of a study in the index, if this run has mapped it.
func (r *session) newInputs(st storedStudy, _ string) digest {
	if e, ok := r.ledger.find(st.Line.Knee()); ok && e.mapped {
		return e.Inputs
	}
	return digest{}
}

// noteInputs adds to the index the hashes of the lists of inputs that are known of its studies. find returns that of a
// study in a chunk with a digest, or zero.
func (r *session) noteInputs(find func(st storedStudy, chunk string) digest) error {
	path := filepath.Join(r.Out, stateFolder, indexFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // somebody has removed it: the next run reads all headers
	}
	return r.writeState(indexFile, func(write func(any) error) error {
		first := true
		err := eachLine(path, func(line []byte) error {
			if first { // the settings
				first = false
				return write(json.RawMessage(line))
			}
			var c storedChunk
			if err := json.Unmarshal(line, &c); err != nil {
				return nil // the chunk is read again
			}
			for n, st := range c.Studies {
				if sum := find(st, c.Digest); sum != (digest{}) {
					c.Studies[n].Inputs = sum
				}
			}
			return write(c)
		})
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
}

package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Worklist is the studies that readers read: those that a run with the same settings would map, and those that it would
// map if they had a mask. Its methods may be called concurrently.
type Worklist struct {
	// Studies are in the order of their folders.
	Studies []ListedStudy

	session *session
	cohort  *cohort
	mu      sync.Mutex // the intake has one finding at a time
	byKey   map[reads.Key]*study
}

// ListedStudy is a study of a worklist.
type ListedStudy struct {
	reads.Key
	Subject, Visit, Side string
	// Result is the folder of its result, or where a run would write it.
	Result string
	// Problem says why the study cannot be read, and NoMask why it has no mask of its own. Both have hints.
	Problem, NoMask error
}

// Protocol returns the settings of the trial. Its scheme is that of the program that makes masks, if it has one.
func (w *Worklist) Protocol() protocol.Protocol { return w.session.Protocol }

// OpenWorklist finds the studies below the roots. It writes nothing. The error is a *SettingsError if the output folder
// holds results with other settings: a run would refuse to map what is read. The caller must close the worklist.
func OpenWorklist(ctx context.Context, s Settings) (*Worklist, error) {
	s.DryRun, s.Shard = true, Shard{}
	in, err := s.prepare()
	if err == nil {
		s.Protocol.Segment, err = s.Protocol.Segment.Identify(ctx)
	}
	if err != nil {
		return nil, err
	}
	earlier, err := s.agreeing()
	if err != nil {
		return nil, err
	}
	r := &session{Settings: s, intake: in, ledger: earlier, inputs: map[string]knownInputs{}, collector: tightenCollector()}
	in.Earlier = r.ledger.identities()
	c, err := r.survey(ctx)
	if err != nil {
		return nil, err
	}
	w := &Worklist{session: r, cohort: c, byKey: map[reads.Key]*study{}}
	if err := r.settle(ctx, c); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.list()
	in.Signed = nil // a reader begins with the study's own mask
	return w, nil
}

// agreeing returns the results in the output folder, or an error if they do not have the settings of s.
func (s Settings) agreeing() (*ledger, error) {
	fit, err := s.Protocol.Fit.Resolve()
	if err != nil || !exists(s.Out) {
		return newLedger(s.Out), err
	}
	l, err := readLedger(s.Out)
	if err == nil {
		err = s.checkAgreement(l, fit)
	}
	return l, err
}

// Close removes temporary files and releases the memory of headers.
func (w *Worklist) Close() error {
	w.session.collector.restore()
	return w.cohort.close()
}

// list lists the studies.
func (w *Worklist) list() {
	var studies []*study
	for _, part := range w.cohort.chunks {
		for _, one := range part.studies {
			if !one.unlisted && one.MultiEcho {
				studies = append(studies, &study{Line: &one.Line, chunk: part, seen: one})
			}
		}
	}
	lines := make([]*intake.Line, len(studies))
	for n, st := range studies {
		lines[n] = st.Line
	}
	verdicts, _ := intake.Compare(lines, w.session.ledger.identities())
	place(slices.DeleteFunc(slices.Clone(studies), func(st *study) bool { return st.seen.nameless }), w.session.ledger)
	for n, st := range studies {
		listed := ListedStudy{Key: reads.Key{Study: st.Hash, Series: st.Series}, Subject: st.Identity.Subject,
			Visit: st.Identity.Visit, Side: st.Side, Result: st.dir}
		switch one := st.seen; {
		case one.err != nil && one.maskless:
			listed.NoMask = one.err
		case one.err != nil:
			listed.Problem = one.err
		}
		if listed.Problem = cmp.Or(listed.Problem, verdicts[n].Err); listed.Problem == nil {
			w.byKey[listed.Key] = st
		}
		w.Studies = append(w.Studies, listed)
	}
	slices.SortStableFunc(w.Studies, func(a, b ListedStudy) int { return cmp.Compare(a.Result, b.Result) })
}

// Opened is a study that a reader looks at.
type Opened struct {
	*pipeline.View
	// Mask is the mask of the study on the grid of the series, in the labels of the scheme; without data if there is none,
	// for the reason NoMask, which has a hint.
	Mask   volume.Labels
	NoMask error
	// Others are other series that can be shown beside it.
	Others []OtherSeries
}

// OtherSeries is a series that can be shown beside a study: of the study itself, or the mapped series of another visit of
// the subject.
type OtherSeries struct {
	reads.Key
	// Visit is empty for a series of the same study.
	Visit       string
	Number      int
	Description string // of the header, not sanitised
}

// Open reads a study. The error has a hint.
func (w *Worklist) Open(ctx context.Context, k reads.Key) (*Opened, error) {
	var out Opened
	err := w.look(ctx, k, func(j pipeline.Job, noMask error) (err error) {
		s := w.session
		if out.View, err = pipeline.Open(ctx, j, s.Protocol, s.Workers); err != nil {
			return err
		}
		if out.NoMask = noMask; noMask == nil {
			out.Mask, out.NoMask = w.mask(ctx, out.View, k)
		}
		for _, t := range slices.Concat(j.Study.Trains, j.Study.Others) {
			if t.Hash != j.Train.Hash && t.Problem == nil && t.Geometry.Voxels() > 0 {
				out.Others = append(out.Others, OtherSeries{Key: reads.Key{Study: k.Study, Series: t.Hash}, Number: t.Number,
					Description: t.Description})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	mine := w.byKey[k]
	for _, st := range w.Studies {
		if st.Problem == nil && st.Key != k && st.Subject == mine.Identity.Subject &&
			intake.SameSide(st.Side, mine.Side) {
			out.Others = append(out.Others, OtherSeries{Key: st.Key, Visit: st.Visit})
		}
	}
	return &out, nil
}

// mask returns the mask of a study: from its files, or, if that takes too long, from the last result whose mask is not a
// reader's.
func (w *Worklist) mask(ctx context.Context, v *pipeline.View, k reads.Key) (volume.Labels, error) {
	mask, err := v.Mask(ctx)
	if !errors.As(err, new(*pipeline.LaterError)) {
		return mask, err
	}
	dir := w.automatic(k)
	if path := filepath.Join(dir, report.MaskFile); dir != "" && exists(path) {
		return alignedMask(path, v)
	}
	if path := filepath.Join(dir, report.SegmentationFile); dir != "" && exists(path) {
		return v.MadeMask(ctx, path)
	}
	return mask, hint.Errorf("map the study with t2map run first", "%w", err)
}

// alignedMask reads a mask that a run has aligned with the series.
func alignedMask(path string, v *pipeline.View) (volume.Labels, error) {
	f, err := os.Open(path)
	if err != nil {
		return volume.Labels{}, err
	}
	defer f.Close()
	mask, err := nifti.ReadLabels(f)
	if err == nil {
		mask, err = segment.OnGrid(mask, v.Series.Geometry)
	}
	if err != nil {
		err = fmt.Errorf("%s of the result: %w", report.MaskFile, err)
	}
	return mask, err
}

// automatic returns the folder of the last result of a study whose mask no reader has signed, so that all readers begin with
// the same mask even after a signed one has replaced it. It returns "" if there is no such result.
func (w *Worklist) automatic(k reads.Key) string {
	present := w.resultOf(k)
	if isAutomatic(present, k) {
		return present
	}
	earlier, _ := filepath.Glob(filepath.Join(w.session.Out, supersededFolder,
		quoteGlob(filepath.FromSlash(files.Below(w.session.Out, present)))+"-*")) // the pattern is valid
	newest, newestTime := "", int64(0)
	for _, dir := range earlier {
		info, err := os.Stat(filepath.Join(dir, report.ResultFile))
		if err == nil && info.ModTime().UnixNano() > newestTime && isAutomatic(dir, k) {
			newest, newestTime = dir, info.ModTime().UnixNano()
		}
	}
	return newest
}

// isAutomatic reports whether a folder has a result of the study whose mask no reader has signed.
func isAutomatic(dir string, k reads.Key) bool {
	r, err := report.ReadResult(filepath.Join(dir, report.ResultFile))
	return err == nil && r.Study == k.Study && r.Series == k.Series && r.Mask.Read == nil
}

// quoteGlob quotes the characters that are special in patterns of files.
func quoteGlob(path string) string {
	return strings.NewReplacer(`[`, `[[]`, `*`, `[*]`, `?`, `[?]`).Replace(path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// resultOf returns the folder of the result of a study.
func (w *Worklist) resultOf(k reads.Key) string { return w.byKey[k].dir }

// ResultSum returns the SHA-256 of the result.json of a study; empty if it has no result.
func (w *Worklist) ResultSum(k reads.Key) string {
	if w.byKey[k] == nil {
		return ""
	}
	sum, err := fileHash(filepath.Join(w.resultOf(k), report.ResultFile))
	if err != nil {
		return ""
	}
	return sum
}

// ReadOther reads the first echo of another series of Opened.Others.
func (w *Worklist) ReadOther(ctx context.Context, k reads.Key) (m volume.Map, err error) {
	for known := range w.byKey {
		if known.Study != k.Study {
			continue
		}
		err = w.look(ctx, known, func(j pipeline.Job, _ error) error {
			for _, t := range slices.Concat(j.Study.Trains, j.Study.Others) {
				if t.Hash == k.Series && t.Problem == nil {
					read, _, err := dicomio.Read(ctx, t.FirstEcho(), w.session.Workers)
					if err == nil {
						m = volume.Map{Geometry: read.Geometry, Data: read.Echo[0]}
					}
					return err
				}
			}
			return errGone
		})
		return m, err
	}
	return m, fs.ErrNotExist
}

// look calls use with the job of a study while its files can be read. noMask is the reason why the job has no mask. The
// error is fs.ErrNotExist if the worklist does not have the study.
func (w *Worklist) look(ctx context.Context, k reads.Key, use func(j pipeline.Job, noMask error) error) error {
	st := w.byKey[k]
	if st == nil {
		return fs.ErrNotExist
	}
	finding := st.chunk.kept
	if finding == nil {
		f, err := w.cohort.search.Find(ctx, st.chunk.Chunk)
		if err != nil {
			return fmt.Errorf("find: %w", err)
		}
		defer f.Close()
		finding = &f
	}
	j, noMask, err := w.job(*finding, k)
	if err != nil {
		return err
	}
	return use(j, noMask)
}

// job makes the job of a study of a finding.
func (w *Worklist) job(f dicomio.Finding, k reads.Key) (j pipeline.Job, noMask, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.session.intake
	in.Take(f)
	defer in.Forget()
	for _, found := range f.Studies {
		if found.Hash != k.Study {
			continue
		}
		if j, err = in.Identify(found); err == nil {
			err = in.ChooseSeries(&j)
		}
		if err != nil || j.Train.Hash != k.Series {
			return j, nil, cmp.Or(err, errGone)
		}
		return j, in.ChooseMask(&j), nil
	}
	return j, nil, errGone
}

// Places returns the folders of the results of all studies below the output folder, by their keys.
func (w *Worklist) Places() map[reads.Key]string {
	places := map[reads.Key]string{}
	for k, st := range w.byKey {
		places[k] = files.Below(w.session.Out, st.dir)
	}
	return places
}

package batch

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/report"
)

// timing has the time of each result: that of the last event of the record about it.
type timing struct {
	out    string
	seed   maphash.Seed
	events map[uint64]report.Timing // by the hash of folder, study and series, which takes less memory
}

// readTiming reads the record of a folder of results line by line. Lines that are not as they were written are
// passed over: Verify reports them.
func readTiming(out string) (*timing, error) {
	t := &timing{out: out, seed: maphash.MakeSeed(), events: map[uint64]report.Timing{}}
	_, _, err := audit.Read(out, func(e audit.Event) {
		if e.Kind == audit.StudyDone {
			t.events[t.key(e.Folder, e.Study, e.Series)] = report.Timing{Seconds: e.Seconds, PeakBytes: e.PeakBytes}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", audit.File, err)
	}
	return t, nil
}

func (t *timing) key(folder, study, series string) uint64 {
	return maphash.Comparable(t.seed, [...]string{folder, study, series})
}

// of returns the time of a result. It is 0 if the record has no event of the result in its folder.
func (t *timing) of(r report.Result) report.Timing {
	return t.events[t.key(files.Below(t.out, r.Dir), r.Study, r.Series)]
}

// writeCohort writes all tables of a folder of results. If one cannot be written, the others still are.
func writeCohort(dir string, c report.Cohort) error {
	t, err := readTiming(dir)
	if err == nil {
		c.Timing = t.of
	}
	return errors.Join(report.WriteTables(dir, c), err)
}

package agree

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/segment"
)

// Level is the level of all confidence intervals.
const Level = 0.95

// Options are what Examine needs in addition to the reads.
type Options struct {
	// Folders are the folders of results by the hashes of study and series. A series without a folder has no T2.
	Folders map[[2]string]string
	Limits  Limits
	// Workers is the number of studies that are examined at the same time; 0 means one per processor.
	Workers int
}

// Limits are those of a protocol; 0 is no limit.
type Limits struct {
	// MaxWCVPercent is the largest coefficient of variation within a reader in percent.
	MaxWCVPercent float64
	// MinDice is the smallest Dice coefficient of two reads.
	MinDice float64
}

// Report is the state and the agreement of all reads in a folder of results.
type Report struct {
	Limits  Limits
	Readers []Reader
	// Reads has one element for each reader, study and repeat, in this order.
	Reads []*Read
	// Pairs are the reads that were compared, label by label.
	Pairs []Pair
	// Comparisons are the agreement over the studies.
	Comparisons []Comparison
	// Problems are the reads, and other files, that could not be evaluated.
	Problems []Problem
}

// Reader counts the reads of a reader. Repeats are counted too.
type Reader struct {
	Code string
	// Signed, Query and Rejected count by the last revision. Drafts counts drawings that are not signed, including those
	// of studies that have a read.
	Signed, Query, Rejected, Drafts int
	// Revisions counts all revisions, and Repeats the hidden repeats that are signed.
	Revisions, Repeats int
	// IsAdjudicator reports whether one of the reads decides between those of others.
	IsAdjudicator bool
}

// Name returns the code, followed by the role if the reader is an adjudicator.
func (c Reader) Name() string {
	if c.IsAdjudicator {
		return c.Code + " (adjudicator)"
	}
	return c.Code
}

// Read is what a reader has made of a study.
type Read struct {
	reads.Key
	Reader string
	// Subject, Visit and Side are those of the result of the study; empty without one.
	Subject, Visit, Side string
	// Revisions are all revisions in their order; none if there is a draft only.
	Revisions []reads.Read
	IsDraft   bool
	// Standing is the revision whose mask is compared; nil if there is none.
	Standing *reads.Read
}

// Last returns the last revision, or nil.
func (r *Read) Last() *reads.Read {
	if len(r.Revisions) == 0 {
		return nil
	}
	return &r.Revisions[len(r.Revisions)-1]
}

// Name returns a name of the study, such as "S01, baseline, left", or its hash.
func (r *Read) Name() string {
	if r.Subject == "" {
		return "study " + r.Study
	}
	return printable.Join(", ", r.Subject, r.Visit, r.Side)
}

// Part says which of the reader's reads of the study it is: "" for the first one, or "repeat 1".
func (r *Read) Part() string {
	if r.Repeat == 0 {
		return ""
	}
	return "repeat " + strconv.Itoa(r.Repeat)
}

// Problem is a read or another file that could not be evaluated.
type Problem struct{ Place, Text string }

// Examine evaluates all reads in a folder of results. A read that cannot be evaluated is a problem in the report, not an
// error. If ctx ends, its error is returned.
func Examine(ctx context.Context, results string, o Options) (Report, error) {
	r := Report{Limits: o.Limits}
	archive := reads.Look(results)
	if err := r.collect(archive); err != nil {
		return r, err
	}
	all := r.bySeries()
	examined := make([]examination, len(all))
	err := parallel.Each(ctx, len(all), o.Workers, func(n int) error {
		examined[n] = examination{archive: archive, reads: all[n]}
		return examined[n].examine(ctx, o.Folders[series(all[n][0])])
	})
	if err != nil {
		return r, err
	}
	for _, one := range examined {
		r.Pairs, r.Problems = append(r.Pairs, one.pairs...), append(r.Problems, one.problems...)
	}
	r.compare()
	return r, nil
}

// collect lists the reads and counts them by reader.
func (r *Report) collect(archive reads.Archive) error {
	readers, err := archive.Readers()
	if err != nil {
		return err
	}
	slices.SortFunc(readers, segment.Natural)
	for _, code := range readers {
		count := Reader{Code: code}
		keys, err := archive.Keys(code)
		if err != nil {
			r.Problems = append(r.Problems, Problem{reads.Folder + "/" + code, err.Error()})
		}
		for _, k := range keys {
			one, err := readOf(archive, code, k)
			if err != nil {
				r.Problems = append(r.Problems, Problem{placeOf(code, k), err.Error()})
			} else if len(one.Revisions) > 0 || one.IsDraft {
				r.Reads = append(r.Reads, one)
				count.add(one)
			}
		}
		r.Readers = append(r.Readers, count)
	}
	return nil
}

func placeOf(reader string, k reads.Key) string {
	return fmt.Sprintf("%s/%s/%s", reads.Folder, reader, k)
}

// readOf returns a read, without the values that come from its result.
func readOf(archive reads.Archive, reader string, k reads.Key) (*Read, error) {
	all, err := archive.Reads(reader, k)
	if err != nil {
		return nil, err
	}
	state, err := archive.State(reader, k)
	if err != nil {
		return nil, err
	}
	r := &Read{Key: k, Reader: reader, Revisions: all, IsDraft: state == reads.Draft}
	if standing, ok := reads.Standing(all); ok {
		r.Standing = &standing
	}
	return r, nil
}

func (c *Reader) add(r *Read) {
	c.Revisions += len(r.Revisions)
	if r.IsDraft {
		c.Drafts++
	}
	last := r.Last()
	if last == nil {
		return
	}
	c.IsAdjudicator = c.IsAdjudicator || last.IsAdjudicated()
	switch last.State {
	case reads.Signed:
		c.Signed++
		if r.Repeat > 0 {
			c.Repeats++
		}
	case reads.Query:
		c.Query++
	case reads.Rejected:
		c.Rejected++
	}
}

// bySeries returns the reads of each series, in the order of its first read.
func (r *Report) bySeries() (all [][]*Read) {
	place := map[[2]string]int{}
	for _, one := range r.Reads {
		n, known := place[series(one)]
		if !known {
			n, place[series(one)] = len(all), len(all)
			all = append(all, nil)
		}
		all[n] = append(all[n], one)
	}
	return all
}

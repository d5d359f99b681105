package agree

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/agreement"
	"github.com/t2map/t2map/volume"
)

// Kind says whose reads are compared.
type Kind string

// The kinds.
const (
	Between Kind = "between" // two readers, their first reads
	Within  Kind = "within"  // one reader, the first read and a repeat
)

// Pair is the agreement of two reads of a series on one label. A is the reader whose code comes first, or the first read.
type Pair struct {
	Kind Kind
	A, B *Read
	// Label is the agreement of the masks, and Name the meaning of the label.
	agreement.Label
	Name string
	// MeanT2 is that in A and in B, NaN if it is missing; NoT2 says why.
	MeanT2 [2]float64
	NoT2   [2]string
}

// Note returns why values are missing; "" if none are.
func (p Pair) Note() string {
	if p.NoT2[0] != "" && p.NoT2[0] == p.NoT2[1] {
		return "T2: " + p.NoT2[0]
	}
	var notes []string
	for n, side := range []string{"A", "B"} {
		switch {
		case p.Voxels[n] == 0:
			notes = append(notes, "no voxels in "+side)
		case p.NoT2[n] != "":
			notes = append(notes, "T2 in "+side+": "+p.NoT2[n])
		}
	}
	return strings.Join(notes, "; ")
}

// examination compares the reads of one series.
type examination struct {
	archive  reads.Archive
	reads    []*Read
	result   report.Result
	pairs    []Pair
	problems []Problem
}

// readMask is the mask of a read that stands, with its mean T2 by label.
type readMask struct {
	*Read
	volume.Labels
	t2 map[uint16]meanT2
}

// meanT2 is a mean T2 in ms, or the reason why it is missing.
type meanT2 struct {
	value  float64
	reason string
}

// examine compares the masks of all reads that stand. folder is that of the result, or "".
func (x *examination) examine(ctx context.Context, folder string) error {
	noMaps := "the study has no result"
	if folder != "" {
		noMaps = x.readResult(folder)
	}
	pairs := pairsOf(x.reads)
	if len(pairs) == 0 {
		return nil
	}
	var maps volume.Maps
	if noMaps == "" {
		var err error
		if maps, err = report.ReadT2(folder, x.result); err != nil {
			noMaps = err.Error()
		}
	}
	masks := map[*Read]*readMask{}
	for _, p := range pairs {
		for _, r := range p {
			if _, known := masks[r]; !known {
				masks[r] = x.readMask(r)
				x.addT2(masks[r], maps, noMaps)
			}
		}
		a, b := masks[p[0]], masks[p[1]]
		if a == nil || b == nil {
			continue
		}
		if err := x.comparePair(ctx, a, b); err != nil {
			return err
		}
	}
	return nil
}

// readResult reads the result of the series and names its reads. It returns why there are no maps, or "".
func (x *examination) readResult(folder string) string {
	result, err := report.ReadResult(filepath.Join(folder, report.ResultFile))
	if err != nil {
		x.problems = append(x.problems, Problem{filepath.Base(folder) + "/" + report.ResultFile, err.Error()})
		return "the result of the study cannot be read"
	}
	x.result = result
	for _, r := range x.reads {
		r.Subject, r.Visit, r.Side = result.Subject, result.Visit, result.Side
	}
	return ""
}

// pairsOf returns the pairs of reads of a series that are compared. An adjudicator has seen the masks of the others and may
// have taken one of them, so that what he or she has signed is not an independent read.
func pairsOf(all []*Read) (pairs [][2]*Read) {
	for n, a := range all {
		for _, b := range all[n+1:] {
			isPair := a.Repeat == 0 && (b.Repeat == 0 || b.Reader == a.Reader)
			if isPair && a.isIndependent() && b.isIndependent() {
				pairs = append(pairs, [2]*Read{a, b})
			}
		}
	}
	return pairs
}

// isIndependent reports whether a mask stands that no adjudicator has signed.
func (r *Read) isIndependent() bool { return r.Standing != nil && !r.Standing.IsAdjudicated() }

// readMask reads the mask of a read. It returns nil if that is not possible, which is a problem.
func (x *examination) readMask(r *Read) *readMask {
	mask, err := x.archive.Mask(*r.Standing)
	if err != nil {
		x.problems = append(x.problems, Problem{placeOf(r.Reader, r.Key), err.Error()})
		return nil
	}
	return &readMask{Read: r, Labels: mask}
}

// addT2 adds the mean T2 of each label. noMaps says why there are no maps, or is "".
func (x *examination) addT2(m *readMask, maps volume.Maps, noMaps string) {
	if m == nil {
		return
	}
	m.t2 = map[uint16]meanT2{}
	values := present(m.Data)
	if noMaps == "" {
		all, err := x.summaries(*m, maps, values)
		if err != nil {
			noMaps = err.Error()
		}
		for n, s := range all {
			m.t2[values[n]] = s
		}
	}
	if noMaps != "" {
		for _, value := range values {
			m.t2[value] = meanT2{math.NaN(), noMaps}
		}
	}
}

// summaries returns the mean T2 of each label of a mask.
func (x *examination) summaries(m readMask, maps volume.Maps, values []uint16) ([]meanT2, error) {
	onMaps, err := segment.OnGrid(m.Labels, maps.Geometry)
	if err != nil {
		return nil, err
	}
	names := x.meanings(m.Standing.Scheme)
	r := segment.Regions{Labels: volume.Labels{Geometry: onMaps.Geometry, Data: make([]uint16, len(onMaps.Data))}}
	number := map[uint16]uint16{}
	for n, value := range values {
		r.Names, number[value] = append(r.Names, names(value)), uint16(n+1)
	}
	notFitted := make([]int, len(values))
	for v, value := range onMaps.Data {
		switch n := number[value]; {
		case n == 0:
		case maps.Status[v] == volume.NotFitted:
			notFitted[n-1]++
		default:
			r.Data[v] = n
		}
	}
	if rules := x.result.Protocol.Masks; rules != nil && rules.FluidMS > 0 {
		// The run has applied the limit in its own mask only.
		maps.Status = slices.Clone(maps.Status)
		if err := segment.ExcludeFluid(&maps, r, segment.FluidLimits{T2: rules.FluidMS}); err != nil {
			return nil, err
		}
	}
	rows, err := segment.Summarize(maps, r)
	if err != nil {
		return nil, err
	}
	out := make([]meanT2, len(rows))
	for n, row := range rows {
		out[n].value = float64(row.MeanT2)
		if math.IsNaN(out[n].value) {
			out[n].reason = row.Note
		}
		if notFitted[n] > 0 {
			out[n] = meanT2{math.NaN(), printable.Counted(notFitted[n], "voxel was", "voxels were") +
				" not fitted: the run has mapped its own mask only"}
		}
	}
	return out, nil
}

// comparePair adds the labels of two masks.
func (x *examination) comparePair(ctx context.Context, a, b *readMask) error {
	kind := Between
	if a.Reader == b.Reader {
		kind = Within
	}
	if text := differentSchemes(*a.Standing, *b.Standing); text != "" {
		x.problems = append(x.problems, Problem{placeOf(b.Reader, b.Key), fmt.Sprintf("is not compared with %s: %s",
			placeOf(a.Reader, a.Key), text)})
		return nil
	}
	names := x.meanings(a.Standing.Scheme)
	values := slices.Concat(present(a.Data), present(b.Data))
	slices.Sort(values)
	values = slices.DeleteFunc(slices.Compact(values), func(v uint16) bool { return names(v) == segment.Ignore })
	if len(values) == 0 {
		return nil
	}
	labels, err := agreement.Compare(ctx, a.Labels, b.Labels, values)
	if ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		x.problems = append(x.problems, Problem{placeOf(b.Reader, b.Key), fmt.Sprintf("is not compared with %s: %v",
			placeOf(a.Reader, a.Key), err)})
		return nil
	}
	for _, l := range labels {
		p := Pair{Kind: kind, A: a.Read, B: b.Read, Label: l, Name: names(l.Value)}
		for n, m := range []*readMask{a, b} {
			t2, known := m.t2[l.Value]
			if !known {
				t2 = meanT2{math.NaN(), "no voxels in the mask"}
			}
			p.MeanT2[n], p.NoT2[n] = t2.value, t2.reason
		}
		x.pairs = append(x.pairs, p)
	}
	return nil
}

// differentSchemes says how the schemes of two masks differ; "" if they do not.
func differentSchemes(a, b reads.Read) string {
	switch {
	case a.Scheme != b.Scheme:
		return fmt.Sprintf("the schemes of their masks are %s and %s", printable.Short(b.Scheme), printable.Short(a.Scheme))
	case !b.HasScheme(reads.Scheme{Name: a.Scheme, SHA256: a.Labels}) && a.Labels != "":
		return fmt.Sprintf("the labels of their masks have different meanings, both in a scheme with the name %s",
			printable.Short(a.Scheme))
	}
	return ""
}

// meanings returns the names of the labels of a scheme: of the result's scheme, if it is that, or of a built-in one.
func (x *examination) meanings(scheme string) func(uint16) string {
	var labels []segment.Label
	if x.result.Protocol.Scheme == scheme {
		labels = x.result.Protocol.Labels
	}
	if len(labels) == 0 {
		if s, err := segment.Named(scheme); err == nil {
			labels = s.Labels
		}
	}
	return func(value uint16) string {
		for _, l := range labels {
			if l.Value == value && strings.TrimSpace(l.Name) != "" {
				return printable.Line(l.Name)
			}
		}
		return fmt.Sprintf("label %d", value)
	}
}

// present returns the labels of a mask in increasing order.
func present(data []uint16) []uint16 {
	var seen [math.MaxUint16 + 1]bool
	values := []uint16{}
	for _, v := range data {
		seen[v] = true
	}
	for v, is := range seen {
		if is && v > 0 {
			values = append(values, uint16(v))
		}
	}
	return values
}

package agree

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/repeat"
)

// Comparison is the agreement of reads over the studies.
type Comparison struct {
	Kind Kind
	// Readers is the reader whose repeats are compared, or both readers. If several readers are taken together, they are
	// all here.
	Readers []string
	// Month of the later signature of a pair, as 2026-11, in UTC; "" for all.
	Month  string
	Labels []LabelAgreement
	// T2 is the mean T2 by label, study and read; see repeat.Pair. Its knees are studies.
	T2 repeat.Study
}

// IsPooled reports whether the comparison takes several pairs of readers, or the repeats of several readers, together.
func (c Comparison) IsPooled() bool {
	return c.Kind == Between && len(c.Readers) > 2 || c.Kind == Within && len(c.Readers) > 1
}

// LabelAgreement is the agreement on one label over the studies.
type LabelAgreement struct {
	Name string
	// Pairs is the number of pairs of reads, and BelowDice the number of those whose Dice coefficient is below the limit.
	Pairs, BelowDice int
	Dice             Spread
	// Distance is the mean distance of the surfaces in mm.
	Distance Spread
	// T2 has the bias and the limits of agreement, which do not exist if several readers are taken together, and the
	// coefficient of variation.
	T2 repeat.Estimates
	// Reasons are the reasons why estimates of T2 are missing.
	Reasons []string
	// IsAboveWCV reports that the coefficient of variation within a reader is above the limit.
	IsAboveWCV bool
}

// Spread describes a measure over the pairs that have it. Mean and the others are NaN if no pair has it.
type Spread struct {
	N                         int
	Mean, SD, Lowest, Highest float64
}

func spreadOf(values []float64) Spread {
	values = slices.DeleteFunc(values, math.IsNaN)
	if len(values) == 0 {
		nan := math.NaN()
		return Spread{Mean: nan, SD: nan, Lowest: nan, Highest: nan}
	}
	s := Spread{N: len(values), Lowest: slices.Min(values), Highest: slices.Max(values)}
	s.Mean, s.SD = stat.MeanStdDev(values, nil) // the SD of one value is NaN
	return s
}

// compare adds the comparisons: between readers, then within; each of them over all months and in each.
func (r *Report) compare() {
	r.sortPairs()
	for _, kind := range []Kind{Between, Within} {
		var groups [][]string // of readers
		sameKind := filtered(r.Pairs, func(p Pair) bool { return p.Kind == kind })
		var all []string
		for _, p := range sameKind {
			if own := p.readers(); !slices.ContainsFunc(groups, func(g []string) bool { return slices.Equal(g, own) }) {
				groups, all = append(groups, own), append(all, own...)
			}
		}
		if len(groups) > 1 {
			groups = append(groups, r.inOrder(all))
		}
		for _, readers := range groups {
			pairs := filtered(sameKind, func(p Pair) bool {
				return !slices.ContainsFunc(p.readers(), func(code string) bool { return !slices.Contains(readers, code) })
			})
			r.Comparisons = append(r.Comparisons, r.comparison(kind, readers, "", pairs))
			for _, month := range months(pairs) {
				r.Comparisons = append(r.Comparisons, r.comparison(kind, readers, month,
					filtered(pairs, func(p Pair) bool { return p.Month() == month })))
			}
		}
	}
}

// sortPairs sorts the pairs by kind, readers, study, repeat and label.
func (r *Report) sortPairs() {
	place := map[*Read]int{}
	for n, one := range r.Reads {
		place[one] = n
	}
	reader := map[string]int{}
	for n, one := range r.Readers {
		reader[one.Code] = n
	}
	slices.SortStableFunc(r.Pairs, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(reader[a.A.Reader], reader[b.A.Reader]),
			cmp.Compare(reader[a.B.Reader], reader[b.B.Reader]), cmp.Compare(place[a.A], place[b.A]),
			cmp.Compare(place[a.B], place[b.B]), cmp.Compare(a.Value, b.Value))
	})
}

// inOrder returns the readers among codes, each once, in the order of the report.
func (r *Report) inOrder(codes []string) []string {
	var out []string
	for _, one := range r.Readers {
		if slices.Contains(codes, one.Code) {
			out = append(out, one.Code)
		}
	}
	return out
}

func filtered(pairs []Pair, keep func(Pair) bool) []Pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p Pair) bool { return !keep(p) })
}

// readers returns the readers of a pair, one or two.
func (p Pair) readers() []string { return slices.Compact([]string{p.A.Reader, p.B.Reader}) }

// Month returns the month of the later signature, as 2026-11, in UTC.
func (p Pair) Month() string {
	later := p.A.Standing.Time
	if t := p.B.Standing.Time; t.After(later) {
		later = t
	}
	return later.In(time.UTC).Format("2006-01")
}

func months(pairs []Pair) []string {
	var all []string
	for _, p := range pairs {
		all = append(all, p.Month())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// comparison returns the agreement of pairs.
func (r *Report) comparison(kind Kind, readers []string, month string, pairs []Pair) Comparison {
	c := Comparison{Kind: kind, Readers: readers, Month: month}
	var problem error
	c.T2, problem = c.pairT2(pairs)
	for _, name := range labelNames(pairs) {
		own := filtered(pairs, func(p Pair) bool { return p.Name == name })
		l := LabelAgreement{Name: name, Pairs: len(own)}
		var dice, distance []float64
		for _, p := range own {
			dice, distance = append(dice, p.Dice), append(distance, p.MeanMM)
			if r.Limits.IsBelow(p) {
				l.BelowDice++
			}
		}
		l.Dice, l.Distance = spreadOf(dice), spreadOf(distance)
		l.T2, l.Reasons = c.estimates(name, problem)
		l.IsAboveWCV = kind == Within && r.Limits.MaxWCVPercent > 0 && l.T2.WCV.Estimate > r.Limits.MaxWCVPercent
		c.Labels = append(c.Labels, l)
	}
	return c
}

// IsBelow reports whether the Dice coefficient of a pair is below the limit.
func (l Limits) IsBelow(p Pair) bool { return l.MinDice > 0 && p.Dice < l.MinDice }

// labelNames returns the names of labels, in the order of their numbers.
func labelNames(pairs []Pair) []string {
	sorted := slices.Clone(pairs)
	slices.SortStableFunc(sorted, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Name, b.Name))
	})
	var names []string
	for _, p := range sorted {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// estimates returns the estimates of a label, and why some are missing. problem is that of repeat.Pair.
func (c Comparison) estimates(name string, problem error) (e repeat.Estimates, reasons []string) {
	none, _ := repeat.Analyse(nil, Level)
	if problem != nil && !c.hasT2() { // else it concerns a number, such as a T2 that is not positive
		problem = nil
	}
	e = none
	for _, one := range c.T2.Compartments {
		if one.Name == name && len(one.Knees) > 0 && problem == nil {
			e = one.Estimates
		}
	}
	switch {
	case problem != nil:
		return none, []string{problem.Error()}
	case e.N == 0:
		return none, []string{"no study has T2 in two reads"}
	}
	if math.IsNaN(e.WCV.Estimate) {
		reasons = append(reasons, "the reads do not differ at all: no coefficient of variation")
	}
	switch a := e.Agreement; {
	case c.IsPooled() && c.Kind == Between:
		e.Agreement = none.Agreement // it would be that of the first two readers
	case a.N == 0:
		reasons = append(reasons, "no study has T2 in the first two reads: no limits of agreement")
	case a.N == 1:
		reasons = append(reasons, "one pair has no spread: no limits of agreement")
	case math.IsNaN(a.Lower.Estimate):
		reasons = append(reasons, "the differences do not vary: no limits of agreement")
	}
	return e, reasons
}

// hasT2 reports whether a study has T2 in two reads.
func (c Comparison) hasT2() bool {
	return slices.ContainsFunc(c.T2.Compartments, func(one repeat.Compartment) bool { return len(one.Knees) > 0 })
}

// FirstRead names a reader's first read of a study among the repeats.
const FirstRead = "first read"

// pairT2 joins the mean T2 of the reads by study and label. A read that is in several pairs counts once.
func (c Comparison) pairT2(pairs []Pair) (repeat.Study, error) {
	type place struct {
		read *Read
		name string
	}
	names := studyNames(pairs)
	var rows []trial.Measurement
	var visits []string
	seen := map[place]bool{}
	for _, p := range pairs {
		for n, read := range []*Read{p.A, p.B} {
			row := trial.Measurement{Subject: names[series(read)], Visit: read.Reader, Compartment: p.Name,
				T2: p.MeanT2[n], Missing: trial.Missing{Kind: trial.Noted, Detail: p.NoT2[n]}}
			if c.Kind == Within {
				row.Visit = cmp.Or(read.Part(), FirstRead)
			}
			if c.Kind == Within && len(c.Readers) > 1 {
				row.Subject = read.Reader + ", " + row.Subject
			}
			if !slices.Contains(visits, row.Visit) {
				visits = append(visits, row.Visit)
			}
			if known := (place{read, p.Name}); !seen[known] {
				seen[known] = true
				rows = append(rows, row)
			}
		}
	}
	slices.SortFunc(visits, func(a, b string) int { return cmp.Compare(c.place(a), c.place(b)) })
	labels := labelNames(pairs)
	slices.SortStableFunc(rows, func(a, b trial.Measurement) int {
		return cmp.Compare(slices.Index(labels, a.Compartment), slices.Index(labels, b.Compartment))
	})
	s, err := repeat.Pair(rows, visits, Level)
	if err != nil && len(s.Compartments) == 0 {
		s = repeat.Study{Visits: visits, Level: Level}
	}
	return s, err
}

// place is the place of a visit among the reads of a study: of a reader, or of a first read and its repeats.
func (c Comparison) place(visit string) int {
	if c.Kind == Between {
		return slices.Index(c.Readers, visit)
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(visit, "repeat "))
	return n
}

func series(r *Read) [2]string { return [2]string{r.Study, r.Series} }

// studyNames returns a unique name for each series.
func studyNames(pairs []Pair) map[[2]string]string {
	names, taken := map[[2]string]string{}, map[string][2]string{}
	for _, p := range pairs {
		key, name := series(p.A), p.A.Name()
		if names[key] != "" {
			continue
		}
		if other, is := taken[name]; is && other != key {
			name += ", series " + p.A.Series
		}
		names[key], taken[name] = name, key
	}
	return names
}

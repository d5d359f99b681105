package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
)

var cohortVisits = []string{"baseline", "month3", "month12"}

var generatedDeviations = []Deviation{{Item: DeviationTR, Found: []number.Float{2500}, Expected: []number.Float{2700},
	Tolerance: 1}}

// generatedStudies returns a cohort of n studies, three for each subject, with values, flags, warnings and outliers. A study
// in 50 has failed, and one in 500 is not done.
func generatedStudies(dir string, n int) studyList {
	random := rand.New(rand.NewPCG(14, 8))
	c := studyList{Version: "1.2.3"}
	limits := &QualityLimits{VolumePercent: 20, Baseline: "baseline"}
	for i := range n {
		subject, visit := fmt.Sprintf("S%05d", i/3+1), cohortVisits[i%3]
		if i%50 == 17 {
			c.Failures = append(c.Failures, Failure{Subject: subject, Visit: visit, Study: fmt.Sprintf("%012x", i),
				Folder: subject + "/" + visit, Reason: "read: IM_0042: EchoTime (0018,0081): missing",
				Hint: "ask the site for the original export", NotDone: i%500 == 17})
			continue
		}
		r := sampleResult(sampleGeometry())
		r.Subject, r.Visit, r.Study, r.Series = subject, visit, fmt.Sprintf("%012x", i), fmt.Sprintf("%08x", i)
		r.Dir = filepath.Join(dir, subject, visit)
		r.Protocol.Quality = limits
		r.Warnings, r.Notes = nil, nil
		r.Compartments = append([]segment.Summary(nil), r.Compartments...)
		for k, middle := range []float64{38, 42, 45} {
			s := r.Compartments[0]
			s.Compartment = r.Compartments[k].Compartment
			mean := middle + 1.5*random.NormFloat64() + float64(i%3)*0.4
			if random.IntN(400) == 0 {
				mean += 18
			}
			s.MeanT2, s.SDT2 = number.Float(mean), number.Float(8+random.Float64())
			r.Compartments[k] = s
		}
		switch random.IntN(40) {
		case 0:
			r.QualityFlags = append(r.QualityFlags, QualityFlag{Measure: MeasureSNRLast, Compartment: "lateral",
				Value: 2.7, Limit: 3, Level: Fail})
		case 1, 2:
			r.QualityFlags = append(r.QualityFlags, QualityFlag{Measure: MeasureAcquisition, Value: 1,
				Level: Warn})
			r.Deviations = generatedDeviations
		case 3:
			r.Warnings = []string{"images were compressed with loss"}
		case 4:
			r.Compartments[2].MeanT2 = number.Float(math.NaN())
		}
		c.Results = append(c.Results, r)
	}
	return c
}

// writePageOf writes the page of a cohort.
func writePageOf(t testing.TB, dir string, c studyList) {
	t.Helper()
	if err := writePage(dir, c); err != nil {
		t.Fatal(err)
	}
}

// writePage writes only the page of a cohort.
func writePage(dir string, c studyList) error {
	page := newPageWriter(dir, c.Version)
	for r := range Sorted(c.Results) {
		_ = page.add(r) // finish returns the error
	}
	return page.finish(sortedFailures(c.Failures))
}

// studyList is a cohort whose results are in memory.
type studyList struct {
	Version  string
	Results  []Result
	Failures []Failure
}

func (l studyList) cohort() Cohort {
	return Cohort{Version: l.Version, Results: Sorted(l.Results), Failures: l.Failures}
}

func sampleList(dir string) studyList {
	results, failures := sampleStudies(dir)
	return studyList{"1.2.3", results, failures}
}

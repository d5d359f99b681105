package phantom

import (
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/t2map/t2map/table"
)

// scoreVisits are the visits of the scores and markers.
var scoreVisits = []struct {
	name  string
	month int
}{{"baseline", 0}, {"month03", 3}, {"month06", 6}, {"month09", 9}, {"month12", 12}}

// endpoint is a score or a marker. A value is baseline + common·course + perMS·d + noise·z, where course rises
// from 0 to 1 within a few months, d is the change of the medial T2 in ms, and z is a standard normal number. A
// marker on the log scale is the exponential of such a value.
type endpoint struct {
	name, group, unit, direction string
	mean, sd                     float64 // at baseline
	common                       float64 // change in both arms, as in most trials of osteoarthritis
	perMS, noise                 float64
	least, most                  float64 // of the scale
	decimals                     int
	log                          bool
}

// The groups of scores.csv, in each of which the panels of a figure belong together.
const (
	womac   = "WOMAC"
	koos    = "KOOS"
	markers = "markers"
)

const (
	worse  = "higher is worse"
	better = "higher is better"
)

// womacTotal is the sum of the three subscales before it.
const womacTotal = "WOMAC total"

// endpoints are invented, with means and SDs at baseline that are typical of trials in osteoarthritis of the knee.
// The noise is such that an effect on scores is about as large as its interval with twelve subjects per arm.
var endpoints = []endpoint{
	{"WOMAC pain", womac, "points", worse, 9, 2.5, -2.5, 0.6, 1.8, 0, 20, 0, false},
	{"WOMAC stiffness", womac, "points", worse, 4, 1.2, -1.2, 0.25, 1, 0, 8, 0, false},
	{"WOMAC function", womac, "points", worse, 32, 8, -9, 2.2, 5, 0, 68, 0, false},
	{womacTotal, womac, "points", worse, 0, 0, 0, 0, 0, 0, 96, 0, false},
	{"KOOS pain", koos, "points", better, 52, 10, 11, -2.4, 6, 0, 100, 0, false},
	{"KOOS symptoms", koos, "points", better, 58, 10, 9, -2, 6, 0, 100, 0, false},
	{"KOOS ADL", koos, "points", better, 58, 11, 11, -2.3, 6, 0, 100, 0, false},
	{"KOOS sport", koos, "points", better, 30, 12, 10, -2.2, 9, 0, 100, 0, false},
	{"KOOS QoL", koos, "points", better, 34, 10, 11, -2.2, 8, 0, 100, 0, false},
	{"ESR", markers, "mm/h", worse, 16, 5, -1, 0.5, 2.5, 2, 80, 0, false},
	{"CRP", markers, "mg/L", worse, math.Log(2.2), 0.7, -0.15, 0.07, 0.25, 0.1, 60, 2, true},
	{"osteocalcin", markers, "ng/mL", "", 18, 4, 0.6, -0.25, 1.8, 4, 60, 1, false},
	{"CTX-I", markers, "ng/mL", worse, 0.38, 0.1, -0.02, 0.012, 0.04, 0.03, 2, 3, false},
}

// score is a row of scores.csv.
type score struct {
	subject, visit string
	endpoint       *endpoint
	value          float64 // NaN without a medial compartment
}

var scoreColumns = []table.Column[score]{
	table.Text("subject", "Subject", table.Derived, func(s score) string { return s.subject }),
	table.Text("visit", "Visit", table.Derived, func(s score) string { return s.visit }),
	table.Text("name", "Score or marker", table.Derived, func(s score) string { return s.endpoint.name }),
	table.Text("value", "Value", table.Derived, func(s score) string {
		if math.IsNaN(s.value) {
			return ""
		}
		return strconv.FormatFloat(s.value, 'f', s.endpoint.decimals, 64)
	}),
	table.Text("direction", "Whether a high value is good", table.Derived,
		func(s score) string { return s.endpoint.direction }),
	table.Text("unit", "Unit", table.Derived, func(s score) string { return s.endpoint.unit }),
	table.Text("group", "Picture in which it is a panel", table.Derived,
		func(s score) string { return s.endpoint.group }),
}

// scores draws scores and markers. They differ between subjects, and their change follows that of the true medial
// T2, with noise.
func (t Trial) scores(truth []Truth) []score {
	rng := rand.New(rand.NewPCG(t.Seed, 4))
	var rows []score
	for len(truth) > 0 {
		n := 1
		for n < len(truth) && truth[n].Subject == truth[0].Subject {
			n++
		}
		rows = append(rows, scoresOf(truth[:n], rng)...)
		truth = truth[n:]
	}
	return rows
}

// scoresOf draws those of one subject, until the last visit with images.
func scoresOf(studies []Truth, rng *rand.Rand) []score {
	person := make([]float64, len(endpoints)) // baseline without noise
	for i, e := range endpoints {
		person[i] = e.mean + e.sd*clamp(rng.NormFloat64(), -2, 2)
	}
	var rows []score
	for _, v := range scoreVisits {
		if v.month > studies[len(studies)-1].Month {
			break
		}
		course, change, sum := step(float64(v.month), 0, 9), medialChange(studies, v.month), 0.0
		for i := range endpoints {
			e := &endpoints[i]
			x := person[i] + e.common*course + e.perMS*change + e.noise*clamp(rng.NormFloat64(), -2, 2)
			if e.log {
				x = math.Exp(x)
			}
			x = clamp(x, e.least, e.most)
			if e.decimals == 0 {
				x = math.Round(x)
			}
			switch {
			case e.name == womacTotal:
				x = sum
			case e.group == womac:
				sum += x
			}
			rows = append(rows, score{studies[0].Subject, v.name, e, x})
		}
	}
	return rows
}

// medialChange returns the change of the true medial T2 from baseline, interpolated between visits with images.
func medialChange(studies []Truth, month int) float64 {
	for i, next := range studies {
		switch {
		case next.Month == month:
			return next.T2[0].MeanT2 - studies[0].T2[0].MeanT2
		case next.Month > month:
			last := studies[i-1]
			part := float64(month-last.Month) / float64(next.Month-last.Month)
			return last.T2[0].MeanT2 + part*(next.T2[0].MeanT2-last.T2[0].MeanT2) - studies[0].T2[0].MeanT2
		}
	}
	return math.NaN()
}

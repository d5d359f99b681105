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

// endpoint is a score or a marker. A score is baseline + share·change of its group, see response. A marker is
// baseline + common·course + perMS·d + noise·z, where course rises from 0 to 1 within nine months, d is the change of
// the medial T2 in ms, and z is a standard normal number. A marker on the log scale is the exponential of such a value.
type endpoint struct {
	name, group, unit, direction string
	mean, sd                     float64 // at baseline
	share                        float64 // of the change of the group; 0 for a marker
	common, perMS, noise         float64 // of a marker
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

// endpoints have means and SDs at baseline that are typical of trials in osteoarthritis of the knee.
var endpoints = []endpoint{
	{name: "WOMAC pain", group: womac, unit: "points", direction: worse, mean: 9, sd: 2.5, share: 0.2, most: 20},
	{name: "WOMAC stiffness", group: womac, unit: "points", direction: worse, mean: 4, sd: 1.2, share: 0.1, most: 8},
	{name: "WOMAC function", group: womac, unit: "points", direction: worse, mean: 32, sd: 8, share: 0.7, most: 68},
	{name: womacTotal, group: womac, unit: "points", direction: worse, most: 96},
	{name: "KOOS pain", group: koos, unit: "points", direction: better, mean: 46, sd: 10, share: 1, most: 100},
	{name: "KOOS symptoms", group: koos, unit: "points", direction: better, mean: 52, sd: 10, share: 0.8, most: 100},
	{name: "KOOS ADL", group: koos, unit: "points", direction: better, mean: 50, sd: 11, share: 0.9, most: 100},
	{name: "KOOS sport", group: koos, unit: "points", direction: better, mean: 26, sd: 11, share: 1.1, most: 100},
	{name: "KOOS QoL", group: koos, unit: "points", direction: better, mean: 30, sd: 10, share: 1, most: 100},
	{name: "ESR", group: markers, unit: "mm/h", direction: worse, mean: 16, sd: 5, common: -1, perMS: 0.5, noise: 2.5,
		least: 2, most: 80},
	{name: "CRP", group: markers, unit: "mg/L", direction: worse, mean: math.Log(2.2), sd: 0.7, common: -0.15,
		perMS: 0.07, noise: 0.25, least: 0.1, most: 60, decimals: 2, log: true},
	{name: "osteocalcin", group: markers, unit: "ng/mL", mean: 18, sd: 4, common: 0.6, perMS: -0.25, noise: 1.8,
		least: 4, most: 60, decimals: 1},
	{name: "CTX-I", group: markers, unit: "ng/mL", direction: worse, mean: 0.38, sd: 0.1, common: -0.02, perMS: 0.012,
		noise: 0.04, least: 0.03, most: 2, decimals: 3},
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

// scores draws scores and markers. They differ between subjects. The change of a score depends on the arm, and that
// of a marker follows the true medial T2.
func (t Trial) scores(truth []Truth) []score {
	rng := rand.New(rand.NewPCG(t.Seed, 4))
	var subjects [][]Truth
	var arms []string
	for len(truth) > 0 {
		n := 1
		for n < len(truth) && truth[n].Subject == truth[0].Subject {
			n++
		}
		subjects, arms, truth = append(subjects, truth[:n]), append(arms, truth[0].Arm), truth[n:]
	}
	changes := t.drawChanges(arms, rand.New(rand.NewPCG(t.Seed, 7)))
	var rows []score
	for n, studies := range subjects {
		rows = append(rows, scoresOf(studies, changes[n], rng)...)
	}
	return rows
}

// visitsWithScores returns the number of visits at which subject n has scores.
func (t Trial) visitsWithScores(n int) int {
	if n+1 == t.Dropout {
		return len(scoreVisits) - 1
	}
	return len(scoreVisits)
}

// scoresOf draws the scores of one subject.
func scoresOf(studies []Truth, changes []visitChange, rng *rand.Rand) []score {
	person := make([]float64, len(endpoints)) // baseline without noise
	for i, e := range endpoints {
		person[i] = e.mean + e.sd*clamp(rng.NormFloat64(), -2, 2)
	}
	var rows []score
	for n, change := range changes {
		v := scoreVisits[n]
		course, medial, sum := course(v.month), medialChange(studies, v.month), 0.0
		for i := range endpoints {
			e := &endpoints[i]
			x := person[i] + change[i] + e.common*course + e.perMS*medial + e.noise*clamp(rng.NormFloat64(), -2, 2)
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
// After the last visit with images it is the change at that visit.
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
	return studies[len(studies)-1].T2[0].MeanT2 - studies[0].T2[0].MeanT2
}

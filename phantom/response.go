package phantom

import (
	"math"
	"math/rand/v2"
)

// moments are the mean and the standard deviation of the change of a score from baseline, in points.
type moments struct{ mean, sd float64 }

// published holds the changes at month 9 by group of scores and arm, with 12 subjects in each: Lee et al., Cell
// Transplantation 2025, doi:10.1177/09636897241303275, abstract. WOMAC is the total; KOOS is used for each subscale.
var published = map[string]map[string]moments{
	womac: {Control: {-0.1, 5.5}, Treatment: {-5.0, 3.6}},
	koos:  {Control: {7.2, 15.9}, Treatment: {23.9, 18.3}},
}

// Shares of the standard deviation of a change. Their squares add up to 1.
const (
	lasting  = 0.8 // the same at all visits of a subject
	changing = 0.6
)

// apart is the standard deviation in points by which the subscales of WOMAC differ from their share of the total.
const apart = 0.6

// course is the part of the change that a subject has reached: 0 at baseline, 1 from month 9.
func course(month int) float64 { return step(float64(month), 0, 9) }

// visitChange holds the change of each endpoint from baseline at a visit; 0 for a marker.
type visitChange []float64

// drawChanges draws the changes of scores, by subject and visit. At each visit an arm has exactly the mean and the
// standard deviation of published, except for rounding and the ends of the scales; the mean follows course. So the
// result resembles the published one with any seed.
func (t Trial) drawChanges(arms []string, rng *rand.Rand) [][]visitChange {
	changes := make([][]visitChange, len(arms))
	for n := range changes {
		changes[n] = make([]visitChange, t.visitsWithScores(n))
		for v := range changes[n] {
			changes[n][v] = make(visitChange, len(endpoints))
		}
	}
	koosPerson := drawNormal(len(arms), rng)
	womacSpread := t.drawSpread(arms, drawNormal(len(arms), rng), rng)
	for i, e := range endpoints {
		if e.share == 0 {
			continue
		}
		spread := womacSpread
		if e.group == koos { // the subscales are correlated
			person := drawNormal(len(arms), rng)
			for n := range person {
				person[n] = lasting*koosPerson[n] + changing*person[n]
			}
			spread = t.drawSpread(arms, person, rng)
		}
		for n, arm := range arms {
			m := published[e.group][arm]
			for v := 1; v < len(changes[n]); v++ {
				changes[n][v][i] = e.share * (m.mean*course(scoreVisits[v].month) + m.sd*spread[n][v])
			}
		}
	}
	separate(changes, rng)
	return changes
}

// separate changes the subscales of WOMAC, the first three endpoints, without a change of their sum.
func separate(changes [][]visitChange, rng *rand.Rand) {
	for _, visits := range changes {
		for _, c := range visits[1:] {
			pain, stiffness := apart*clamp(rng.NormFloat64(), -2, 2), apart*clamp(rng.NormFloat64(), -2, 2)
			c[0], c[1], c[2] = c[0]+pain, c[1]+stiffness, c[2]-pain-stiffness
		}
	}
}

// drawSpread draws the deviations from the mean of an arm in standard deviations, by subject and visit: person is the
// lasting part. At every visit the subjects of an arm who are in the trial have mean 0 and, if there are more than two
// of them, standard deviation 1.
func (t Trial) drawSpread(arms []string, person []float64, rng *rand.Rand) [][]float64 {
	spread := make([][]float64, len(arms))
	for n := range spread {
		spread[n] = drawNormal(len(scoreVisits), rng)
		for v := range spread[n] {
			spread[n][v] = lasting*person[n] + changing*spread[n][v]
		}
	}
	for v := range scoreVisits {
		for _, arm := range []string{Control, Treatment} {
			var present []*float64
			for n := range arms {
				if arms[n] == arm && v < t.visitsWithScores(n) {
					present = append(present, &spread[n][v])
				}
			}
			standardize(present)
		}
	}
	return spread
}

// standardize gives values the mean 0 and, if there are more than two, the standard deviation 1.
func standardize(values []*float64) {
	mean, squares, n := 0.0, 0.0, float64(len(values))
	for _, x := range values {
		mean += *x / n
	}
	for _, x := range values {
		*x -= mean
		squares += square(*x)
	}
	if len(values) > 2 {
		for _, x := range values {
			*x /= math.Sqrt(squares / (n - 1))
		}
	}
}

// drawNormal draws standard normal numbers within ±2.
func drawNormal(n int, rng *rand.Rand) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = clamp(rng.NormFloat64(), -2, 2)
	}
	return x
}

package trial

import "math"

// Design is who is in a trial and what it compares, as read by ReadDesign.
type Design struct {
	// Name is the trial's code; empty where the design has none.
	Name string
	// Arms holds the arms, the reference first, then in the order of the file.
	Arms []string
	// Visits are in ascending months; the first is the baseline.
	Visits []Visit
	// Before are planned visits before the baseline, such as a screening, in ascending months.
	// Their results are in no analysis.
	Before []Visit
	// AssumedBaseline says that the baseline is the earliest visit because none is at month 0.
	AssumedBaseline bool
	// Subjects are in the order of the file.
	Subjects []Subject
	// Primary is the contrast that the trial was made for.
	Primary Primary
}

// Visit is a planned visit.
type Visit struct {
	// Name is what results and other tables call it.
	Name string
	// Month is its nominal month.
	Month float64
}

// Subject is a participant with what was known at the start.
type Subject struct {
	ID string
	// Arm is an index into Design.Arms.
	Arm int
	// Side of the knee that is studied: left, right, or empty where the design does
	// not say.
	Side string
	// Stratum and Site are as in the file, Sex too, but that female and male are F and M; empty
	// where it does not say.
	Stratum, Site, Sex string
	// Age in years and BMI in kg/m² at baseline; NaN where the file does not say.
	Age, BMI float64
}

// covariate returns the number of a numeric covariate, or the level of a factor. Of one that is not
// known the number is NaN and the level empty.
func (s Subject) covariate(name string) (x float64, level string) {
	switch name {
	case "age":
		return s.Age, ""
	case "bmi":
		return s.BMI, ""
	case "site":
		return math.NaN(), s.Site
	case "stratum":
		return math.NaN(), s.Stratum
	}
	return math.NaN(), s.Sex
}

// Primary names the primary contrast: one endpoint at one visit, each arm against
// the reference.
type Primary struct {
	// Endpoint is its name; empty: all compartments, adjusted as a family.
	Endpoint string
	// Visit is an index into Design.Visits. Default: the last.
	Visit int
}

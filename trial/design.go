package trial

import "math"

// Design has the participants of a trial and its comparisons, as read by ReadDesign.
type Design struct {
	// Name is the trial's code; empty where the design has none.
	Name string
	// Arms holds the arms, the reference first, then in the order of the file.
	Arms []string
	// Visits are the visits of all endpoints in ascending months; the first is the baseline. VisitsOf has
	// those of one endpoint.
	Visits []Visit
	// Earlier are planned visits before the baseline, such as a screening, in ascending months.
	// Their results are not analysed.
	Earlier []Visit
	// AssumedBaseline reports that the baseline is the earliest visit because none is at month 0.
	AssumedBaseline bool
	// Subjects are in the order of the file.
	Subjects []Subject
	// Primary and Secondary are the primary and the key secondary contrasts. Default of Primary: every
	// compartment at its last visit.
	Primary, Secondary []Target
	// Schedules are the visits of the lines of visits: by endpoint, AllT2, or "" for all others; see VisitsOf.
	Schedules map[string][]int
}

// Visit is a planned visit.
type Visit struct {
	// Name is its name in results and other tables.
	Name string
	// Month is its nominal month.
	Month float64
}

// Subject is a participant with the properties at baseline.
type Subject struct {
	ID string
	// Arm is an index into Design.Arms.
	Arm int
	// Side of the studied knee: left, right, or empty if the design does not have it.
	Side string
	// Stratum and Site are as in the file; Sex is too, except that female and male are F and M. Empty
	// if the design does not have them.
	Stratum, Site, Sex string
	// Age in years and BMI in kg/m² at baseline; NaN if the design does not have them.
	Age, BMI float64
	// Sets reports for each of Plan.Sets whether the subject is in it.
	Sets []bool
	// Discontinued is the reason why the subject left the trial; empty if it did not or is not known.
	Discontinued string
}

// covariate returns the number of a numeric covariate, or the level of a factor. If it is not known, the
// number is NaN and the level is empty.
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

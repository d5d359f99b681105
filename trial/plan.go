package trial

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial/mmrm"
)

// Plan says how the trial is analysed. The zero value is the default.
type Plan struct {
	// Covariance of the visits of a subject. Default: unstructured.
	Covariance mmrm.Covariance
	// DF is the method for degrees of freedom. Default: Kenward–Roger.
	DF mmrm.DF
	// CommonBaseline gives the visits of the mixed model one slope on the baseline. Default: each visit has
	// its own.
	CommonBaseline bool
	// Strata are the columns of the design by which the randomisation was stratified. They are in the
	// models. Default (nil): stratum, if the design has more than one. An empty list is none.
	Strata []string
	// Covariates in addition to baseline, arm, visit and strata: site, stratum, sex, age, bmi.
	Covariates []string
	// Rows are the rows of compartments.csv to analyse, such as medial-tibial or medial deep;
	// see ReadResults. Default: the whole compartments.
	Rows []string
	// Median uses the median of the voxels of a compartment. Default: their mean.
	Median bool
	// Reads says which masks the values of T2 may have; the values of others are missing. Default: AnyMask.
	Reads MaskReads
	// Log reports for endpoints, or AllT2, whether they are analysed on the log scale: ratios of geometric means.
	Log map[string]bool
	// Sets are the analysis sets; the first is analysed. Default: all subjects.
	Sets []Set
	// Limits of quality.
	Limits Limits
	// Decimals of endpoints on the page and in figures. Default: EndpointAnalysis.Decimals.
	Decimals map[string]int
	// Groups are the groups of endpoints; see Endpoint.Group. Default: as the table of endpoints says.
	Groups map[string]string
	// Mentions are the endpoints that the plan names in brackets. Analyse checks that they exist.
	Mentions []Mention
	// Departures are the keys that are not from the plan file, if there is one.
	Departures []Departure
	// Estimand is the estimand in the words of the trial.
	Estimand string
	// Screened is the number of persons who were screened; 0 if it is not known. Excluded has those who were
	// not randomised.
	Screened int
	Excluded []Exclusion
	// Level of the confidence intervals. Default: 0.95.
	Level float64
	// WithinCV is the within-subject coefficient of variation of T2 as a fraction.
	// Default: 0.05, the QIBA profile's (PMC8574057). CompartmentCVs has the coefficients of single
	// compartments.
	WithinCV       float64
	CompartmentCVs []CompartmentCV
	// MeanOfTwo uses the mean of two studies at one visit, which otherwise give no value.
	MeanOfTwo bool
	// Permutations is the number of random arrangements where there are too many to try all.
	// Default: 9999.
	Permutations int
	// Seed of the permutations.
	Seed uint64
}

// CompartmentCV is the within-subject coefficient of variation of one compartment.
type CompartmentCV struct {
	Compartment string
	CV          float64 // fraction
}

// Departure is a key, or another option of the analysis, whose value is not that of the plan file.
type Departure struct {
	Key string
	// Planned is the value in the plan file, empty if it has none; Used is the value that was used, of Place.
	Planned, Used, Place string
}

// Set is an analysis set: the subjects with yes in a column of the design.
type Set struct{ Name, Column string }

// Exclusion counts the persons who were screened and not randomised, or left the trial, for one reason.
type Exclusion = Count[string]

// Limits are the limits of quality beyond which a value is flagged. A limit of 0 is the default, the thresholds
// that the field uses (docs/trial.md); +Inf is none.
type Limits struct {
	// Voxels and Volume are the largest change of a compartment from baseline in percent. Default: 20.
	Voxels, Volume float64
	// Excluded is the largest share of voxels without an accepted T2 in percent. Default: 10.
	Excluded float64
	// SNR is the largest ratio of SNR between two visits. Default: 2.
	SNR float64
	// T2 is the range of plausible means in ms. Default: 20 to 70.
	T2 [2]float64
	// Change is the largest plausible change of T2 from baseline in percent. Default: 30.
	Change float64
}

// limit is a limit that is one number.
type limit struct {
	name     string
	value    *float64
	standard float64
	// A number outside least to most is not a limit that anyone would set.
	least, most float64
}

func (l *Limits) numbers() []limit {
	return []limit{{"voxels", &l.Voxels, 20, 0.1, 1000}, {"volume", &l.Volume, 20, 0.1, 1000},
		{"excluded", &l.Excluded, 10, 0.1, 100}, {"change", &l.Change, 30, 0.1, 1000},
		{"snr", &l.SNR, 2, 1.01, 100}} // a ratio of the larger to the smaller
}

// withDefaults returns the limits with their defaults filled in.
func (l Limits) withDefaults() Limits {
	for _, limit := range l.numbers() {
		*limit.value = cmp.Or(*limit.value, limit.standard)
	}
	l.T2 = cmp.Or(l.T2, [2]float64{20, 70})
	return l
}

// Summary returns the word for the T2 of a compartment: mean or median of its voxels.
func (p Plan) Summary() string {
	if p.Median {
		return "median"
	}
	return "mean"
}

// choose returns the meaning of one of the words that a key may have.
func choose[T any](text string, words map[string]T, advice, problem string) (T, error) {
	meaning, known := words[strings.ToLower(text)]
	if !known {
		return meaning, hint.Errorf(advice, problem, text)
	}
	return meaning, nil
}

func (p *Plan) setBaseline(_, text string) (err error) {
	p.CommonBaseline, err = choose(text, map[string]bool{"by visit": false, "common": true},
		"by visit or common; the visit that changes are computed from is the key baseline visit",
		"baseline %.40q is neither by visit nor common")
	return err
}

// factors are the columns of a design that are levels of a factor, and numbers those that are numbers.
var factors, numbers = []string{"site", "stratum", "sex"}, []string{"age", "bmi"}

func (p *Plan) setStrata(_, text string) (err error) {
	if strings.EqualFold(text, "none") {
		p.Strata = []string{}
		return nil
	}
	p.Strata, err = columnList("stratum", text, factors)
	return err
}

func (p *Plan) setCovariates(_, text string) (err error) {
	p.Covariates, err = columnList("covariate", text, slices.Concat(factors, numbers))
	return err
}

// columnList reads a list of columns, each once.
func columnList(kind, text string, known []string) ([]string, error) {
	var columns []string
	for _, name := range list(strings.ToLower(text)) {
		if !slices.Contains(known, name) {
			return nil, hint.Errorf(strings.Join(known[:len(known)-1], ", ")+" or "+known[len(known)-1],
				"%s %.40q is not known", kind, name)
		}
		columns = include(columns, name)
	}
	return columns, nil
}

var covarianceNames = map[string]mmrm.Covariance{
	"": mmrm.Unstructured, "unstructured": mmrm.Unstructured, "un": mmrm.Unstructured,
	"hcs": mmrm.HeterogeneousCS, "csh": mmrm.HeterogeneousCS, "ar1": mmrm.AR1, "cs": mmrm.CompoundSymmetry,
}

func (p *Plan) setCovariance(_, text string) (err error) {
	p.Covariance, err = choose(text, covarianceNames, "unstructured, hcs (heterogeneous compound symmetry), ar1 or cs",
		"covariance %.40q is not known")
	return err
}

func (p *Plan) setDF(_, text string) (err error) {
	p.DF, err = choose(text, map[string]mmrm.DF{"": mmrm.KenwardRoger, "kenward-roger": mmrm.KenwardRoger,
		"satterthwaite": mmrm.Satterthwaite}, "kenward-roger or satterthwaite", "degrees of freedom %.40q are not known")
	return err
}

func (p *Plan) setRows(_, text string) error {
	p.Rows = include(p.Rows, list(text)...)
	return nil
}

func (p *Plan) setSummary(_, text string) (err error) {
	p.Median, err = choose(text, map[string]bool{"mean": false, "median": true}, "mean or median",
		"summary %.40q is not known")
	return err
}

func (p *Plan) setScale(endpoint, text string) error {
	log, err := choose(text, map[string]bool{"linear": false, "log": true}, "linear or log", "scale %.40q is not known")
	put(&p.Log, endpoint, log)
	return err
}

func (p *Plan) setSets(_, text string) error {
	all, err := pairs(text)
	for _, item := range all {
		name, column := item.name, item.value
		if column == "" {
			return hint.Errorf("write NAME=COLUMN, such as full analysis=fas", "set %.40q has no column", name)
		}
		if slices.ContainsFunc(p.Sets, func(s Set) bool { return table.IsAlike(s.Name, name) || s.Column == column }) {
			return hint.Errorf("give each set its own name and column", "set %.40q appears twice", name)
		}
		p.Sets = append(p.Sets, Set{Name: name, Column: strings.ToLower(column)})
	}
	return err
}

// named is an item "name=value" of a list. Without a sign it is a name, and the value is empty.
type named struct{ name, value string }

// pairs divides a list of items "name=value"; a name may contain the sign. It returns the items before the first name
// that appears twice, and an error.
func pairs(text string) (all []named, err error) {
	for _, item := range list(text) {
		one := named{name: item}
		if sign := strings.LastIndex(item, "="); sign > 0 {
			one = named{strings.TrimSpace(item[:sign]), strings.TrimSpace(item[sign+1:])}
		}
		if slices.ContainsFunc(all, func(n named) bool { return n.name == one.name }) {
			return all, hint.Errorf("write it once", "%.40q appears twice", one.name)
		}
		all = append(all, one)
	}
	return all, nil
}

func (p *Plan) setLimits(_, text string) error {
	all, err := pairs(strings.ToLower(text))
	for _, item := range all {
		if err := p.Limits.set(item.name, item.value); err != nil {
			return err
		}
	}
	return err
}

func (l *Limits) set(name, value string) error {
	const example = "such as voxels=20, volume=20, excluded=10, snr=2, t2=20-70, change=30; none switches a limit off"
	none := strings.EqualFold(value, "none")
	if name == "t2" {
		low, high, _ := strings.Cut(value, "-")
		a, errLow := table.ParseNumber(strings.TrimSpace(low))
		b, errHigh := table.ParseNumber(strings.TrimSpace(high))
		switch {
		case none:
			a, b = math.Inf(-1), math.Inf(1)
		case errLow != nil || errHigh != nil || !(a >= 0 && b > a):
			return hint.Errorf(example, "limit t2 %.40q is not a range in ms", value)
		}
		l.T2 = [2]float64{a, b}
		return nil
	}
	all := l.numbers()
	i := slices.IndexFunc(all, func(l limit) bool { return l.name == name })
	if i < 0 {
		return hint.Errorf(example, "limit %.40q is not known", name)
	}
	x, err := table.ParseNumber(strings.TrimSuffix(value, "%"))
	if none {
		x, err = math.Inf(1), nil
	}
	if err != nil || !none && !(x >= all[i].least && x <= all[i].most) {
		return hint.Errorf(example, "limit %s: %.40q is not a number from %g to %g", name, value, all[i].least, all[i].most)
	}
	*all[i].value = x
	return nil
}

// leastCV in percent is below the CV of any study: 1.1 % per region on one scanner (Verschueren,
// repub.eur.nl/pub/135013). A smaller number is probably a fraction.
const leastCV = 0.5

// setWithinCV reads "5" or "medial=4, lateral=5.5", in percent.
func (p *Plan) setWithinCV(_, text string) error {
	all, err := pairs(text)
	for _, item := range all {
		compartment, percent := item.name, item.value
		if percent == "" {
			compartment, percent = "", item.name
		}
		v, err := table.ParseNumber(strings.TrimSuffix(percent, "%"))
		if err == nil && v > 0 && v < leastCV {
			return hint.Errorf("write it in percent: 5, not 0.05",
				"a within-subject CV of %g %% is smaller than that of any scanner", v)
		}
		if err != nil || !(v > 0 && v < 100) {
			return hint.Errorf("in percent, such as 5, or medial=4, lateral=5.5",
				"within-subject CV %.40q is not a percentage", percent)
		}
		if compartment == "" {
			p.WithinCV = v / 100
			continue
		}
		p.CompartmentCVs = append(p.CompartmentCVs, CompartmentCV{compartment, v / 100})
	}
	return err
}

// mostDecimals of a number in a table of the page.
const mostDecimals = 6

func (p *Plan) setDecimals(endpoint, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > mostDecimals {
		return hint.Errorf("a whole number from 0 to 6", "decimals %.40q are not a number of decimals", text)
	}
	put(&p.Decimals, endpoint, n)
	return nil
}

func (p *Plan) setGroup(endpoint, text string) error {
	put(&p.Groups, endpoint, text)
	return nil
}

// put adds to a map that may be nil.
func put[T any](all *map[string]T, endpoint string, value T) {
	if *all == nil {
		*all = map[string]T{}
	}
	(*all)[endpoint] = value
}

// planned returns what the plan says of an endpoint: in its own line or, for a compartment, in that of T2.
func planned[T any](all map[string]T, e Endpoint) (value T, ok bool) {
	if value, ok = all[e.Name]; !ok && e.Compartment {
		value, ok = all[AllT2]
	}
	return value, ok
}

func (p *Plan) setScreened(_, text string) (err error) {
	if p.Screened, err = strconv.Atoi(text); err != nil || p.Screened < 1 {
		return hint.Errorf("a whole number", "screened %.40q is not a number of persons", text)
	}
	return nil
}

func (p *Plan) setExcluded(_, text string) error {
	all, err := pairs(text)
	for _, item := range all {
		n, err := strconv.Atoi(item.value)
		if err != nil || n < 1 {
			return hint.Errorf("write REASON=N, such as not eligible=12, declined=4",
				"excluded %.40q does not have a number of persons", item.name)
		}
		p.Excluded = append(p.Excluded, Exclusion{item.name, n})
	}
	return err
}

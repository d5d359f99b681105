package trial

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/yamlfile"
)

// Heading is what a trial plans, as people write it: lines such as "# reference: control" above the columns
// of a design, the keys of a plan file, or flags. Keys are the names of Keys, in lower case, with the
// endpoint in brackets if there is one: "visits", "visits[T2]".
type Heading map[string]Line

// Line is the value of a key.
type Line struct {
	Text string
	// Place is where it is written: "trial.csv, line 2"; "--visits".
	Place string
}

// Key is a line that a heading may have.
type Key struct {
	Name string
	// Form is an example of its value.
	Form string
	// Meaning is what it decides, and what applies without it.
	Meaning string
	// Values are the possible values of a key that has a fixed set of them, the default first.
	Values []string
	// Endpoint is whether the key names an endpoint, or T2 for all compartments.
	Endpoint EndpointRule

	// read reads the value into the plan; nil for keys that ReadDesign reads with the table.
	read func(p *Plan, endpoint, text string) error
}

// EndpointRule is whether a key names an endpoint in brackets.
type EndpointRule int8

// The rules.
const (
	NoEndpoint EndpointRule = iota
	MayNameEndpoint
	NamesEndpoint
)

// cvKey and rowsKey name compartments in their values.
const cvKey, rowsKey = "wcv", "rows"

// Keys are all lines of a heading, in the order in which plan files have them.
var Keys = []Key{
	{Name: "trial", Form: "TRIAL-7", Meaning: "code of the trial"},
	{Name: "visits", Form: "baseline=0, month03=3, month12=12", Endpoint: MayNameEndpoint,
		Meaning: "the planned visits with their nominal months, of all endpoints or of one"},
	{Name: "baseline visit", Form: "baseline",
		Meaning: "visit that changes are computed from (default: the visit of month 0)"},
	{Name: "reference", Form: "control", Meaning: "arm that the others are compared with"},
	{Name: "primary", Form: "medial@month12",
		Meaning: "primary contrasts, ENDPOINT@VISIT separated by commas, adjusted together by Holm's method " +
			"(default: every compartment at the last visit)"},
	{Name: "secondary", Form: "lateral@month12, WOMAC@month12",
		Meaning: "key secondary contrasts, a family of their own (default: none)"},
	{Name: "baseline", Form: "by visit", Meaning: "slopes on the baseline in the mixed model: by visit, or " +
		"common to all visits (default: by visit)", Values: []string{"by visit", "common"}, read: (*Plan).setBaseline},
	{Name: "strata", Form: "stratum", Meaning: "columns of the design by which the randomisation was stratified; " +
		"they are in the models (default: stratum, if the design has it; none omits it)", read: (*Plan).setStrata},
	{Name: "covariates", Form: "site, age", Meaning: "columns of the design to adjust the models for: site, " +
		"stratum, sex, age, bmi (default: none)", read: (*Plan).setCovariates},
	{Name: "covariance", Form: "unstructured", Meaning: "covariance of the visits of a subject: unstructured, " +
		"hcs, ar1 or cs (default: unstructured)", Values: []string{"unstructured", "hcs", "ar1", "cs"},
		read: (*Plan).setCovariance},
	{Name: "df", Form: "kenward-roger", Meaning: "method for the degrees of freedom: kenward-roger or " +
		"satterthwaite (default: kenward-roger)", Values: []string{"kenward-roger", "satterthwaite"},
		read: (*Plan).setDF},
	{Name: rowsKey, Form: "medial, lateral, patellofemoral", Meaning: "rows of the results to analyse " +
		"(default: the compartments)", read: (*Plan).setRows},
	{Name: "summary", Form: "mean", Meaning: "T2 of a compartment: the mean or the median of its voxels " +
		"(default: mean)", Values: []string{"mean", "median"}, read: (*Plan).setSummary},
	{Name: "reads", Form: "signed", Meaning: "which masks the values of T2 may have: any; signed, those that a reader " +
		"has signed; adjudicated, those that an adjudicator has signed; other values are missing (default: any)",
		Values: []string{"any", "signed", "adjudicated"}, read: (*Plan).setReads},
	{Name: "scale", Form: "log", Endpoint: NamesEndpoint, Meaning: "scale on which an endpoint is analysed: " +
		"linear, or log for ratios of geometric means (default: linear)", Values: []string{"linear", "log"},
		read: (*Plan).setScale},
	{Name: "sets", Form: "full analysis=fas, per protocol=pp", Meaning: "analysis sets, NAME=COLUMN of the design " +
		"with yes or no; the first is analysed, the others are sensitivity analyses (default: all subjects)",
		read: (*Plan).setSets},
	{Name: "limits", Form: "voxels=20, volume=20, excluded=10, snr=2, t2=20-70, change=30",
		Meaning: "limits of quality: change of voxels and volume from baseline and excluded share in percent, ratio " +
			"of SNR, range of T2 in ms, change of T2 in percent (default: as shown)", read: (*Plan).setLimits},
	{Name: cvKey, Form: "medial=4, lateral=5.5", Meaning: "within-subject CV of T2 in percent (default: 5, from " +
		"the QIBA profile)", read: (*Plan).setWithinCV},
	{Name: "decimals", Form: "1", Endpoint: NamesEndpoint, Meaning: "decimals of an endpoint on the page and in " +
		"figures (default: two for T2, else three digits of the largest SD)", read: (*Plan).setDecimals},
	{Name: "group", Form: "WOMAC", Endpoint: NamesEndpoint, Meaning: "group of an endpoint, whose members are lettered " +
		"panels beside each other; markers for changes as mean ± SD (default: the column group of the table of endpoints)",
		read: (*Plan).setGroup},
	{Name: "estimand", Form: "treatment policy for all intercurrent events", Meaning: "the estimand, in your words",
		read: func(p *Plan, _, text string) error { p.Estimand = text; return nil }},
	{Name: "screened", Form: "40", Meaning: "number of persons screened", read: (*Plan).setScreened},
	{Name: "excluded", Form: "not eligible=12, declined=4", Meaning: "persons who were screened and not " +
		"randomised, by reason", read: (*Plan).setExcluded},
}

// keyNamed returns the key of a name in lower case, or nil.
func keyNamed(name string) *Key {
	if i := slices.IndexFunc(Keys, func(k Key) bool { return k.Name == name }); i >= 0 {
		return &Keys[i]
	}
	return nil
}

// splitKey divides "visits[T2]" into its name in lower case and its endpoint.
func splitKey(text string) (name, endpoint string) {
	name, rest, bracketed := strings.Cut(text, "[")
	name = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(name, "_", " ")), " "))
	if !bracketed {
		return name, ""
	}
	return name, strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "]"))
}

func joinKey(name, endpoint string) string {
	if endpoint == "" {
		return name
	}
	return name + "[" + endpoint + "]"
}

// Set adds a line. It is an error if the key is not known, if it does not name an endpoint as it has to, or
// if it is there already.
func (h Heading) Set(key string, line Line) error {
	name, endpoint := splitKey(key)
	k := keyNamed(name)
	switch {
	case k == nil:
		known := mapped(Keys, func(k Key) string { return k.Name })
		return hint.Errorf(hint.Nearest(name, known)+"; a remark has no colon", "%s: the key %.40q is not known", line.Place,
			key)
	case strings.Contains(key, "[") && (endpoint == "" || !strings.HasSuffix(strings.TrimSpace(key), "]")):
		return hint.Errorf(fmt.Sprintf("write it as %s[WOMAC]", name), "%s: the endpoint of %.40q is not in brackets",
			line.Place, key)
	case endpoint == "" && k.Endpoint == NamesEndpoint:
		return hint.Errorf(fmt.Sprintf("write it as %s[WOMAC]", name), "%s: %s does not name an endpoint", line.Place, name)
	case endpoint != "" && k.Endpoint == NoEndpoint:
		return hint.Errorf("omit the brackets", "%s: %s is not a key of an endpoint", line.Place, name)
	}
	key = joinKey(name, endpoint)
	if _, twice := h[key]; twice {
		return fmt.Errorf("%s: %s appears twice", line.Place, printable.Line(key))
	}
	h[key] = line
	return nil
}

// withDefaults returns h with the lines of other that it does not have.
func (h Heading) withDefaults(other Heading) Heading {
	all := maps.Clone(other)
	maps.Copy(all, h)
	return all
}

// keyLine is a line of a key, with the endpoint in its brackets; empty if there are none.
type keyLine struct {
	Line
	endpoint string
}

// lines returns the lines of a key: the one without an endpoint, then the others in ascending order.
func (h Heading) lines(name string) []keyLine {
	var all []keyLine
	for _, key := range slices.Sorted(maps.Keys(h)) {
		if n, endpoint := splitKey(key); n == name {
			all = append(all, keyLine{h[key], endpoint})
		}
	}
	return all
}

// Mention is an endpoint that a key names.
type Mention struct{ Endpoint, Key, Place string }

// headingOf returns the lines of a design's heading. A line without a colon is a remark.
func headingOf(t *table.Table) (Heading, error) {
	h := Heading{}
	for _, line := range t.Heading {
		key, value, isKey := strings.Cut(line.Text, ":")
		if !isKey {
			continue
		}
		value = strings.TrimSpace(value)
		if err := h.Set(key, Line{Text: value, Place: fmt.Sprintf("%s, line %d", t.Name, line.Number)}); err != nil {
			return h, err
		}
	}
	return h, nil
}

// planHint shows a plan.
const planHint = "a plan has one line for each key, such as\n  reference: control\n" +
	"  visits: {baseline: 0, month12: 12}\n't2map trial plan init' writes one with all keys"

// ReadPlan reads a plan file: YAML with the keys of Keys. A value is a text, as in the heading of a design;
// a list or a map is the text with its items: [a, b] is "a, b", and {a: 0, b: 3} is "a=0, b=3".
//
// It is an error if a key is not known or appears twice, if a value has another form, and what yamlfile
// refuses. Errors name line and column.
func ReadPlan(s Source) (Heading, error) {
	h := Heading{}
	if s.Data == nil {
		return h, nil
	}
	entries, err := yamlfile.Entries(s.Data)
	if problem := new(yamlfile.Error); errors.As(err, &problem) && problem.Line > 0 {
		return h, hint.Errorf(planHint, "%s, line %d, column %d: %s", s.Name, problem.Line, problem.Column, problem.Problem)
	} else if err != nil {
		return h, hint.Errorf(planHint, "%s: %w", s.Name, err)
	}
	for _, e := range entries {
		place := fmt.Sprintf("%s, line %d, column %d", s.Name, e.Line, e.Column)
		if err := h.Set(e.Key, Line{Text: e.Text, Place: place}); err != nil {
			return h, err
		}
	}
	_, err = h.Plan()
	return h, err
}

// CheckPlan reads a plan file and checks what does not need a design: its values and, if the plan has visits, these
// and the contrasts at them.
func CheckPlan(s Source) (Heading, error) {
	h, err := ReadPlan(s)
	if err == nil && len(h.lines("visits")) > 0 {
		err = new(Design).readSchedule(s.Name, h)
	}
	return h, err
}

// Plan returns the plan of the heading, with zeros for the defaults.
func (h Heading) Plan() (p Plan, err error) {
	for _, key := range Keys {
		for _, line := range h.lines(key.Name) {
			if line.endpoint != "" {
				p.Mentions = append(p.Mentions, Mention{line.endpoint, key.Name, line.Place})
			}
			if key.read == nil {
				continue
			}
			if err := key.read(&p, line.endpoint, line.Text); err != nil {
				return p, fmt.Errorf("%s: %w", line.Place, err)
			}
		}
	}
	for _, cv := range p.CompartmentCVs {
		p.Mentions = append(p.Mentions, Mention{cv.Compartment, cvKey, h[cvKey].Place})
	}
	for _, row := range p.Rows {
		p.Mentions = append(p.Mentions, Mention{row, rowsKey, h[rowsKey].Place})
	}
	if err := p.checkScreened(h); err != nil {
		return p, err
	}
	slices.SortStableFunc(p.Mentions, func(a, b Mention) int { return cmp.Compare(a.Key, b.Key) })
	return p, nil
}

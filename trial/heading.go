package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial/mmrm"
)

// Heading is the heading of a design, lines such as "# reference: control" above its columns, or the
// command-line flags that override them. Texts are as written; empty if absent.
type Heading struct {
	// Trial is the trial's code.
	Trial string
	// Visits are "baseline=0, month03=3, month12=12": names with nominal months.
	Visits string
	// Baseline is the visit that changes are computed from. Default: the visit of month 0.
	Baseline string
	// Reference is the arm that the others are compared with.
	Reference string
	// Primary is the primary contrast: "medial@month12", "medial" or "@month12".
	Primary string
	// Covariance is unstructured, hcs, ar1 or cs.
	Covariance string
	// DF is kenward-roger or satterthwaite.
	DF string
	// Covariates are columns of the design: "site, age".
	Covariates string
	// Rows are rows of the results: "medial-tibial, medial deep".
	Rows string
	// WithinCV is the within-subject CV in percent: "5", or "medial=4, lateral=5.5".
	WithinCV string
}

// headingKey is a line that a heading may have.
type headingKey struct {
	name string
	// text returns the field of its text.
	text func(*Heading) *string
	// read reads the text, which may be empty, into the plan; nil for lines that describe the design.
	read func(p *Plan, text string) error
}

// headingKeys are all lines, in the order in which they are read. A new line needs a field of Heading
// and a row here.
var headingKeys = []headingKey{
	{name: "trial", text: func(h *Heading) *string { return &h.Trial }},
	{name: "visits", text: func(h *Heading) *string { return &h.Visits }},
	{name: "baseline", text: func(h *Heading) *string { return &h.Baseline }},
	{name: "reference", text: func(h *Heading) *string { return &h.Reference }},
	{name: "primary", text: func(h *Heading) *string { return &h.Primary }},
	{"covariance", func(h *Heading) *string { return &h.Covariance }, (*Plan).setCovariance},
	{"df", func(h *Heading) *string { return &h.DF }, (*Plan).setDF},
	{"covariates", func(h *Heading) *string { return &h.Covariates }, (*Plan).setCovariates},
	{"rows", func(h *Heading) *string { return &h.Rows }, (*Plan).setRows},
	{"wcv", func(h *Heading) *string { return &h.WithinCV }, (*Plan).setWithinCV},
}

// withDefaults returns h with its empty texts taken from other.
func (h Heading) withDefaults(other Heading) Heading {
	for _, key := range headingKeys {
		text := key.text(&h)
		*text = cmp.Or(*text, *key.text(&other))
	}
	return h
}

// parseHeading parses the lines of the heading. A line without a colon is a remark.
func parseHeading(t *table.Table) (Heading, error) {
	var h Heading
	for _, line := range t.Heading {
		name, value, isKey := strings.Cut(line, ":")
		if !isKey {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		i := slices.IndexFunc(headingKeys, func(key headingKey) bool { return key.name == name })
		if i < 0 {
			return h, hint.Errorf("known are "+keyNames()+"; a remark has no colon",
				"%s: the heading has %.40q, which is not known", t.Name, name)
		}
		text := headingKeys[i].text(&h)
		if *text != "" {
			return h, fmt.Errorf("%s: the heading has %s twice", t.Name, name)
		}
		*text = strings.TrimSpace(value)
	}
	return h, nil
}

// keyNames lists the names of all lines.
func keyNames() string {
	names := make([]string, len(headingKeys))
	for i, key := range headingKeys {
		names[i] = key.name
	}
	return strings.Join(names, ", ")
}

// Plan returns the plan of the heading, with zeros for the defaults.
func (h Heading) Plan() (p Plan, err error) {
	for _, key := range headingKeys {
		if key.read == nil {
			continue
		}
		if err := key.read(&p, *key.text(&h)); err != nil {
			return p, err
		}
	}
	return p, nil
}

var covarianceNames = map[string]mmrm.Covariance{
	"": mmrm.Unstructured, "unstructured": mmrm.Unstructured, "un": mmrm.Unstructured,
	"hcs": mmrm.HeterogeneousCS, "csh": mmrm.HeterogeneousCS, "ar1": mmrm.AR1, "cs": mmrm.CompoundSymmetry,
}

func (p *Plan) setCovariance(text string) error {
	covariance, known := covarianceNames[strings.ToLower(text)]
	if !known {
		return hint.Errorf("unstructured, hcs (heterogeneous compound symmetry), ar1 or cs",
			"covariance %.40q is not known", text)
	}
	p.Covariance = covariance
	return nil
}

var dfNames = map[string]mmrm.DF{
	"": mmrm.KenwardRoger, "kenward-roger": mmrm.KenwardRoger, "satterthwaite": mmrm.Satterthwaite,
}

func (p *Plan) setDF(text string) error {
	df, known := dfNames[strings.ToLower(text)]
	if !known {
		return hint.Errorf("kenward-roger or satterthwaite", "degrees of freedom %.40q are not known", text)
	}
	p.DF = df
	return nil
}

func (p *Plan) setCovariates(text string) error {
	for _, name := range list(strings.ToLower(text)) {
		if !slices.Contains([]string{"site", "stratum", "sex", "age", "bmi"}, name) {
			return hint.Errorf("site, stratum, sex, age or bmi", "covariate %.40q is not known", name)
		}
		if !slices.Contains(p.Covariates, name) {
			p.Covariates = append(p.Covariates, name)
		}
	}
	return nil
}

func (p *Plan) setRows(text string) error {
	for _, row := range list(text) {
		if !slices.Contains(p.Rows, row) {
			p.Rows = append(p.Rows, row)
		}
	}
	return nil
}

// leastCV in percent is below the CV of any study: 1.1 % per region on one scanner (Verschueren,
// repub.eur.nl/pub/135013). A smaller number is probably a fraction.
const leastCV = 0.5

// setWithinCV reads "5" or "medial=4, lateral=5.5", in percent.
func (p *Plan) setWithinCV(text string) error {
	for _, item := range list(text) {
		compartment, percent := "", item
		if sign := strings.LastIndex(item, "="); sign >= 0 {
			compartment, percent = strings.TrimSpace(item[:sign]), strings.TrimSpace(item[sign+1:])
		}
		v, err := table.ParseNumber(strings.TrimSuffix(percent, "%"))
		if err == nil && v > 0 && v < leastCV {
			return hint.Errorf("write it in percent: 5, not 0.05",
				"a within-subject CV of %g %% is smaller than that of any scanner", v)
		}
		if err != nil || !(v > 0 && v < 100) {
			return hint.Errorf("in percent, such as 5, or medial=4, lateral=5.5",
				"within-subject CV %.40q is not a percentage", item)
		}
		if compartment == "" {
			p.WithinCV = v / 100
			continue
		}
		p.CompartmentCVs = append(p.CompartmentCVs, CompartmentCV{compartment, v / 100})
	}
	return nil
}

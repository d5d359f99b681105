package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial/mmrm"
)

// Heading is the heading of a design, lines such as "# reference: control" above its columns, or the
// command-line flags that override it. Texts are as written; an empty one is not given.
type Heading struct {
	// Trial is the trial's code.
	Trial string
	// Visits are "baseline=0, month03=3, month12=12": names with nominal months.
	Visits string
	// Baseline is the visit that changes are computed from. Default: the visit of month 0.
	Baseline string
	// Reference is the arm others are compared with.
	Reference string
	// Primary is the primary contrast: "medial@month12", "medial" or "@month12".
	Primary string
	// Covariance is unstructured, hcs, ar1 or cs.
	Covariance string
	// DF is kenward-roger or satterthwaite.
	DF string
	// Covariates are "site, age".
	Covariates string
	// Rows are "medial-tibial, medial deep".
	Rows string
	// WithinCV is in percent: "5", or "medial=4, lateral=5.5".
	WithinCV string
}

// or returns h with the empty texts from other.
func (h Heading) or(other Heading) Heading {
	return Heading{
		Trial: cmp.Or(h.Trial, other.Trial), Visits: cmp.Or(h.Visits, other.Visits),
		Baseline:  cmp.Or(h.Baseline, other.Baseline),
		Reference: cmp.Or(h.Reference, other.Reference), Primary: cmp.Or(h.Primary, other.Primary),
		Covariance: cmp.Or(h.Covariance, other.Covariance), DF: cmp.Or(h.DF, other.DF),
		Covariates: cmp.Or(h.Covariates, other.Covariates), WithinCV: cmp.Or(h.WithinCV, other.WithinCV),
		Rows: cmp.Or(h.Rows, other.Rows),
	}
}

// parseHeading parses the lines of the heading. A line without a colon is a remark.
func parseHeading(t *table.Table) (Heading, error) {
	var h Heading
	for _, line := range t.Heading {
		key, value, found := strings.Cut(line, ":")
		if !found {
			continue
		}
		var field *string
		switch key = strings.ToLower(strings.TrimSpace(key)); key {
		case "trial":
			field = &h.Trial
		case "visits":
			field = &h.Visits
		case "baseline":
			field = &h.Baseline
		case "reference":
			field = &h.Reference
		case "primary":
			field = &h.Primary
		case "covariance":
			field = &h.Covariance
		case "df":
			field = &h.DF
		case "covariates":
			field = &h.Covariates
		case "wcv":
			field = &h.WithinCV
		case "rows":
			field = &h.Rows
		default:
			return h,
				hinted("known are trial, visits, baseline, reference, primary, covariance, df, covariates, wcv and "+
					"rows; a remark has no colon",
					"%s: the heading has %.40q, which is not known", t.Name, key)
		}
		if *field != "" {
			return h, fmt.Errorf("%s: the heading has %s twice", t.Name, key)
		}
		*field = strings.TrimSpace(value)
	}
	return h, nil
}

var covarianceNames = map[string]mmrm.Covariance{
	"": mmrm.Unstructured, "unstructured": mmrm.Unstructured, "un": mmrm.Unstructured,
	"hcs": mmrm.HeterogeneousCS, "csh": mmrm.HeterogeneousCS, "ar1": mmrm.AR1, "cs": mmrm.CompoundSymmetry,
}

var dfNames = map[string]mmrm.DF{
	"": mmrm.KenwardRoger, "kenward-roger": mmrm.KenwardRoger, "satterthwaite": mmrm.Satterthwaite,
}

// Plan returns the plan of the heading, with zeros for the defaults.
func (h Heading) Plan() (p Plan, err error) {
	var known bool
	if p.Covariance, known = covarianceNames[strings.ToLower(h.Covariance)]; !known {
		return p, hinted("unstructured, hcs (heterogeneous compound symmetry), ar1 or cs",
			"covariance %.40q is not known", h.Covariance)
	}
	if p.DF, known = dfNames[strings.ToLower(h.DF)]; !known {
		return p, hinted("kenward-roger or satterthwaite", "degrees of freedom %.40q are not known", h.DF)
	}
	for _, c := range list(strings.ToLower(h.Covariates)) {
		if !slices.Contains([]string{"site", "stratum", "sex", "age", "bmi"}, c) {
			return p, hinted("site, stratum, sex, age or bmi", "covariate %.40q is not known", c)
		}
		if !slices.Contains(p.Covariates, c) {
			p.Covariates = append(p.Covariates, c)
		}
	}
	for _, row := range list(h.Rows) {
		if !slices.Contains(p.Rows, row) {
			p.Rows = append(p.Rows, row)
		}
	}
	return p, p.setWithinCV(h.WithinCV)
}

// leastCV in percent is smaller than that of any study: 1.1 % per region on one scanner (Verschueren,
// repub.eur.nl/pub/135013). A smaller number is a fraction by mistake.
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
			return hinted("write it in percent: 5, not 0.05",
				"a within-subject CV of %g %% is smaller than that of any scanner", v)
		}
		if err != nil || !(v > 0 && v < 100) {
			return hinted("in percent, such as 5, or medial=4, lateral=5.5",
				"within-subject CV %.40q is not a percentage", item)
		}
		if compartment == "" {
			p.WithinCV = v / 100
			continue
		}
		p.WithinCVOf = append(p.WithinCVOf, CompartmentCV{compartment, v / 100})
	}
	return nil
}

package batch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/t2fit"
)

// A folder holds results that were made alike: figures by two methods, or of two
// meanings of a label, do not belong into one table.

// setting is one of those that move figures, as a value in words.
type setting struct{ name, value string }

// SettingsError says that an output folder holds results that were made with other
// settings.
type SettingsError struct {
	Folder string
	// Results is the number of such results, and Differences says what is different
	// in the first of them.
	Results     int
	Differences []string
}

// Error gives both.
func (e *SettingsError) Error() string {
	return fmt.Sprintf("output folder %s holds %s made with other settings: %s", e.Folder, counted(e.Results, "result", "results"), strings.Join(e.Differences, "; "))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// checkAgreement refuses to add to results that were made with other settings. It is to
// be called before anything of the run is written.
func (s Settings) checkAgreement(l *ledger) error {
	var differences []string
	n := 0
	for _, r := range l.results() {
		if d := s.differences(r); len(d) > 0 {
			n++
			if differences == nil {
				differences = d
			}
		}
	}
	if n == 0 || s.Replace {
		return nil
	}
	return hinted("choose another folder with --out, or add --replace: results of other settings are then moved to "+asideFolder+" in it and the tables hold none of them",
		"%w", &SettingsError{Folder: s.Out, Results: n, Differences: differences})
}

// replaceOthers sets aside the results that were made with other settings.
func (s Settings) replaceOthers(l *ledger) {
	if !s.Replace {
		return
	}
	for _, r := range l.all() {
		d := s.differences(r)
		if len(d) == 0 {
			continue
		}
		l.byStudy[r.Study] = slices.DeleteFunc(l.byStudy[r.Study], func(other report.Result) bool { return other.Dir == r.Dir })
		l.setAside(r, strings.Join(d, "; "))
	}
}

// differences says what of a result was made otherwise than this run would make it.
func (s Settings) differences(r report.Result) []string {
	o, _ := s.Protocol.Fit.Defaults() // Check has seen them
	noise := string(o.SigmaFrom)
	if o.Sigma > 0 {
		noise = string(t2fit.SigmaGiven)
	}
	now := s.Protocol.record()
	now.PhilipsScaling, now.MaskThreshold = string(s.Protocol.PhilipsScaling), s.Protocol.MaskThreshold
	now.Segments, now.Codes = s.Protocol.Scheme.Segments, s.Protocol.Scheme.Codes
	was, is := settingsOf(r.Protocol, r.Noise.Source, r.Version, r), settingsOf(now, noise, Version, r)
	var out []string
	for i := range was {
		switch a, b := was[i], is[i]; {
		case a.value == b.value:
		case a.name == labelMeaning:
			out = append(out, a.name+" is another")
		default:
			out = append(out, fmt.Sprintf("%s %s, now %s", a.name, a.value, b.value))
		}
	}
	return out
}

const labelMeaning = "meaning of the labels"

// settingsOf lists the settings that move figures. Those that concern some studies only,
// such as the threshold of fractional masks, are listed where r says that its study is one.
// Which voxels are written as maps moves no figure, and which series or mask is taken is no method.
func settingsOf(p report.Protocol, noise, version string, r report.Result) []setting {
	epg := "none"
	if e := p.EPG; e != nil {
		epg = fmt.Sprintf("T1 %v ms, B1 %v, profile %v", e.T1MS, e.B1Range, e.RefocusingProfile)
	}
	all := []setting{
		{"method", p.Method},
		{"skipped echoes", fmt.Sprint(p.SkippedEchoes)},
		{"T2 range", fmt.Sprintf("%v to %v ms", p.T2RangeMS[0], p.T2RangeMS[1])},
		{"least R²", fmt.Sprint(p.MinR2)},
		{"least signal", fmt.Sprint(p.MinSignal)},
		{"noise", noise},
		{"sigma", fmt.Sprint(p.Sigma)},
		{"echo floor", fmt.Sprint(p.EchoFloor)},
		{"epg with", epg},
		{"scheme", short(p.Scheme)},
		{labelMeaning, fmt.Sprint(p.Labels)},
		{"version", version},
	}
	if r.Protocol.PhilipsScaling != "" {
		scaling := p.PhilipsScaling
		if scaling == "" {
			scaling = "dv"
		}
		all = append(all, setting{"Philips scaling", scaling})
	}
	if r.Mask.Kind != "" && r.Mask.Kind != "NIfTI" {
		all = append(all, setting{labelMeaning, fmt.Sprint(p.Segments, p.Codes)})
	}
	if r.Protocol.MaskThreshold > 0 {
		threshold := p.MaskThreshold
		if threshold == 0 {
			threshold = 0.5 // dicomio's default
		}
		all = append(all, setting{"mask threshold", fmt.Sprint(threshold)})
	}
	return all
}

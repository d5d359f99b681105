package batch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/t2fit"
)

// The results in a folder have the same settings, because values by two methods, or with two meanings of a label, are
// not comparable.

// setting is a setting that changes values, with its value as text.
type setting struct{ name, value string }

// MarshalJSON returns the name and the value.
func (s setting) MarshalJSON() ([]byte, error) { return json.Marshal([2]string{s.name, s.value}) }

// SettingsError says that an output folder holds results that were made with other settings.
type SettingsError struct {
	Folder string
	// Results is the number of these results. Differences describes the settings in which the first of them differs
	// from the run.
	Results     int
	Differences []string
}

// Error names the folder and the differences.
func (e *SettingsError) Error() string {
	return fmt.Sprintf("output folder %s holds %s made with other settings: %s", e.Folder, printable.Counted(e.Results,
		"result", "results"), strings.Join(e.Differences, "; "))
}

// checkAgreement returns an error if the folder holds results that were made with other settings, unless the run
// replaces them. Call it before the run writes anything.
func (s Settings) checkAgreement(l *ledger, fit t2fit.Resolved) error {
	if s.Replace {
		return nil
	}
	different := s.different(l, fit)
	var first []string
	n := 0
	for e := range l.results().entries() {
		if d := different[e.Settings]; len(d) > 0 {
			n++
			if first == nil {
				first = d
			}
		}
	}
	if n == 0 {
		return nil
	}
	return hint.Errorf("choose another folder with --out, or add --replace: then results with other settings are "+
		"moved to "+supersededFolder+" in the folder and are no longer in the tables", "%w",
		&SettingsError{Folder: s.Out, Results: n, Differences: first})
}

// different describes the settings in which results differ from those of the run, by entry.Settings.
func (s Settings) different(l *ledger, fit t2fit.Resolved) map[digest][]string {
	all := map[digest][]string{}
	for e := range l.all().entries() {
		if _, known := all[e.Settings]; known {
			continue
		}
		if r, err := e.result(); err == nil {
			all[e.Settings] = s.differences(fit, r)
		}
	}
	return all
}

// replaceOthers moves the results that were made with other settings, if the run replaces them.
func (r *session) replaceOthers(fit t2fit.Resolved) {
	if !r.Replace {
		return
	}
	l := r.ledger
	different := r.different(l, fit)
	for e := range l.all().entries() {
		if d := different[e.Settings]; len(d) > 0 && r.Shard.has(e.Study) {
			l.set(e.Study, slices.DeleteFunc(l.of(e.Study), func(other entry) bool { return other.Folder == e.Folder }))
			l.setAside(e, strings.Join(d, "; "))
		}
	}
}

// MixedError says that a folder holds results that were made with different settings.
type MixedError struct {
	Folder string
	// Groups are the results by their settings, the largest group first.
	Groups []MadeAlike
}

// MadeAlike is a group of results that were made with the same settings.
type MadeAlike struct {
	// Folders are the paths of the results below the folder.
	Folders []string
	// Settings are the settings in which the group differs from the other groups.
	Settings []string
}

// Error describes each group by its settings and some of its folders.
func (e *MixedError) Error() string {
	const shown = 3
	var parts []string
	for _, g := range e.Groups {
		names := strings.Join(g.Folders[:min(shown, len(g.Folders))], ", ")
		if n := len(g.Folders) - shown; n > 0 {
			names += fmt.Sprintf(" and %d more", n)
		}
		parts = append(parts, fmt.Sprintf("%s with %s (%s)", printable.Counted(len(g.Folders), "result", "results"),
			strings.Join(g.Settings, ", "), names))
	}
	return fmt.Sprintf("%s holds results that were made with different settings: %s", e.Folder, strings.Join(parts,
		"; "))
}

// checkAlike returns an error if the results were made with different settings.
func (l *ledger) checkAlike() error {
	var groups []madeAlike
	for e := range l.results().entries() {
		n := slices.IndexFunc(groups, func(g madeAlike) bool { return g.sums[e.Settings] })
		if n < 0 {
			r, err := e.result()
			if err != nil {
				continue // it was readable before
			}
			settings := made(r)
			n = slices.IndexFunc(groups, func(g madeAlike) bool { return len(differ(g.settings, settings)) == 0 })
			if n < 0 {
				n, groups = len(groups), append(groups, madeAlike{settings: settings, sums: map[digest]bool{}})
			}
			groups[n].sums[e.Settings] = true
		}
		groups[n].folders = append(groups[n].folders, e.Folder)
	}
	if len(groups) < 2 {
		return nil
	}
	slices.SortStableFunc(groups, func(a, b madeAlike) int { return len(b.folders) - len(a.folders) })
	e := &MixedError{Folder: filepath.Base(l.out)}
	for n, g := range groups {
		other := groups[0]
		if n == 0 {
			other = groups[1]
		}
		same := MadeAlike{Folders: g.folders}
		for _, d := range differ(g.settings, other.settings) {
			same.Settings = append(same.Settings, d.earlier.words())
		}
		e.Groups = append(e.Groups, same)
	}
	return hint.Errorf("map all studies with the same settings and --replace, or move the folders of one group "+
		"elsewhere", "%w", e)
}

// madeAlike is a group of results whose settings do not differ, with the values of entry.Settings in it.
type madeAlike struct {
	settings []setting
	sums     map[digest]bool
	folders  []string
}

// made returns the settings of a result.
func made(r report.Result) []setting { return settingsOf(r.Protocol, r.Noise.Source, r.Version, r) }

// difference is a setting that has two values.
type difference struct{ earlier, current setting }

// differ returns the settings that are in both lists with different values. Different hashes of the protocol are
// among them only if no setting explains them.
func differ(earlier, current []setting) []difference {
	var out []difference
	for _, a := range earlier {
		for _, b := range current {
			if a.name == b.name && a.value != b.value && (a.name != protocolName || len(out) == 0) {
				out = append(out, difference{a, b})
			}
		}
	}
	return out
}

// differences describes the settings in which a result differs from this run.
func (s Settings) differences(fit t2fit.Resolved, r report.Result) []string {
	noise := string(fit.SigmaFrom)
	if fit.Sigma > 0 {
		noise = string(t2fit.SigmaGiven)
	}
	now := s.Protocol.Record(fit)
	now.PhilipsScaling, now.MaskThreshold = string(s.Protocol.PhilipsScaling), s.Protocol.MaskThreshold
	now.Segments, now.Codes = s.Protocol.Scheme.Segments, s.Protocol.Scheme.Codes
	var out []string
	for _, d := range differ(made(r), settingsOf(now, noise, pipeline.Version, r)) {
		if d.earlier.isLong() {
			out = append(out, d.earlier.words())
		} else {
			out = append(out, fmt.Sprintf("%s, now %s", d.earlier.words(), d.current.value))
		}
	}
	return out
}

// Names of settings whose values are too long for a message.
const (
	labelMeaning    = "meaning of the labels"
	segmentMeaning  = "meaning of the segments"
	acquisitionName = "expected acquisition"
	qualityName     = "quality limits"
	protocolName    = "protocol"
)

func (s setting) isLong() bool {
	return slices.Contains([]string{labelMeaning, segmentMeaning, acquisitionName, qualityName, protocolName}, s.name)
}

// words describes the setting.
func (s setting) words() string {
	switch {
	case s.name == qualityName:
		return "other " + s.name
	case s.isLong():
		return "another " + s.name
	case s.name == versionSetting:
		return s.name + " " + s.value + " of t2map"
	}
	return s.name + " " + s.value
}

// versionSetting is the name of t2map's version. The version is raised when values change, so that results of two
// versions are not comparable.
const versionSetting = "version"

// settingsOf lists the settings of p that change values. Settings that concern only some studies, such as the
// threshold of fractional masks, are listed if they concern the study of r. The voxels that are written as maps
// change no value, and the choice of the series and of the mask is not part of the method.
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
		{"epg options", epg},
		{"scheme", printable.Short(p.Scheme)},
		{labelMeaning, fmt.Sprint(p.Labels)},
		{"segmentation", p.Segmenter.Text()},
		{versionSetting, version},
	}
	if m := p.Masks; m != nil {
		all = append(all, setting{"division", m.Division}, setting{"layers", fmt.Sprint(m.Layers)},
			setting{"mask fraction", fmt.Sprint(m.MinFraction)},
			setting{"erosion", fmt.Sprintf("%g mm", m.ErodeMM)}, setting{"limit of fluid",
				fmt.Sprintf("%g ms, %g ms at the edge", m.FluidMS, m.FluidEdgeMS)},
			setting{"registration", cmp.Or(m.Registered, "none")}, setting{"masks carried from visit", cmp.Or(m.SourceVisit,
				"none")})
	}
	if r.Protocol.PhilipsScaling != "" {
		scaling := p.PhilipsScaling
		if scaling == "" {
			scaling = "dv"
		}
		all = append(all, setting{"Philips scaling", scaling})
	}
	if len(r.Mask.Segments) > 0 || r.Mask.Kind != "" && !pipeline.CanRead(r.Mask.Kind) &&
		r.Mask.Kind != pipeline.KindProgram {
		all = append(all, setting{segmentMeaning, fmt.Sprint(p.Segments, p.Codes)})
	}
	if r.Protocol.MaskThreshold > 0 {
		threshold := p.MaskThreshold
		if threshold == 0 {
			threshold = 0.5 // dicomio's default
		}
		all = append(all, setting{"mask threshold", fmt.Sprint(threshold)})
	}
	if r.Protocol.SHA256 != "" { // not in results of versions that did not write it
		all = append(all, setting{acquisitionName, inJSON(p.Acquisition)}, setting{qualityName, inJSON(p.Quality)},
			setting{protocolName, p.SHA256})
	}
	return all
}

// inJSON returns the value of a setting that has many parts.
func inJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

package report

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
)

// pageDetail is what the page shows of a finished study when it is opened, in addition to its row.
type pageDetail struct {
	ID      string   `json:"id"`                // of the row, to which the page compares it
	Facts   []string `json:"facts"`             // grid, echo times, mask
	Carried string   `json:"carried,omitempty"` // says that the mask is from another visit
	// Flags are those of the whole study, and Warnings those that no flag repeats.
	Flags    []shownFlag `json:"flags,omitempty"`
	Warnings []string    `json:"warnings,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
	// Folder is the relative URL of the study's folder, with a slash at its end. It is "" if the folder is not known.
	Folder  string        `json:"folder,omitempty"`
	Links   [][2]string   `json:"links,omitempty"` // text, and name of the file in the folder
	Rows    []detailRow   `json:"rows"`
	Regions []regionGroup `json:"regions,omitempty"`
	// Fractions says that the mask, on another grid, covers some voxels only partly.
	Fractions bool         `json:"fractions,omitempty"`
	Quality   *qualityView `json:"quality,omitempty"`
}

// detailRow is one compartment of a study.
type detailRow struct {
	Compartment string      `json:"compartment"`
	T2          string      `json:"t2,omitempty"` // mean ± SD
	Median      string      `json:"median,omitempty"`
	SE          string      `json:"se,omitempty"`
	R2          string      `json:"r2,omitempty"`
	SNR         string      `json:"snr,omitempty"`
	Volume      string      `json:"volume,omitempty"`
	Note        string      `json:"note,omitempty"`
	Used        string      `json:"used,omitempty"` // numbers of used and of all voxels
	Excluded    []string    `json:"excluded,omitempty"`
	Flags       []shownFlag `json:"flags,omitempty"`
}

func newPageDetail(r Result, dir string, flags []QualityFlag, all baselines) pageDetail {
	d := pageDetail{ID: r.identifier(), Facts: r.facts(), Carried: printable.Line(r.Mask.Carried())}
	for _, n := range r.Notes {
		d.Notes = append(d.Notes, printable.Line(n))
	}
	if folder := r.folder(dir); filepath.IsLocal(filepath.FromSlash(folder)) { // not above the page
		d.Folder, d.Links = link(folder+"/"), r.links()
	}
	d.addRegions(r)
	for _, s := range r.Compartments {
		d.Rows = append(d.Rows, newDetailRow(s, r.decayOf(s.Compartment)))
	}
	if len(d.Rows) == 0 {
		d.Rows = []detailRow{{Note: "no compartments"}}
	}
	d.addFlags(r, flags)
	d.addWarnings(r, flags)
	d.addQuality(r, all)
	return d
}

// facts describes the images, the mask and how the mask was moved.
func (r Result) facts() []string {
	facts := []string{fmt.Sprintf("%d × %d × %d", r.Size[0], r.Size[1], r.Size[2])}
	if n := len(r.TE); n > 0 {
		facts = append(facts, fmt.Sprintf("%d echoes, %.3g–%.3g ms", n, r.TE[0], r.TE[n-1]))
	}
	if sigma := table.Digits(r.Noise.median(), 4); sigma != "" {
		facts = append(facts, fmt.Sprintf("noise σ %s (%s)", sigma, printable.Line(r.Noise.Source)))
	}
	if r.Mask.Path != "" {
		facts = append(facts, fmt.Sprintf("mask %s (%s)", printable.Line(r.Mask.Path), printable.Line(r.Mask.Kind)))
	}
	if n, d := r.Mask.Size, r.Mask.Spacing; n != nil && d != nil {
		facts = append(facts, fmt.Sprintf("mask on a grid of %d × %d × %d, %s × %s × %s mm",
			n[0], n[1], n[2], roundMillimetres(d[0]), roundMillimetres(d[1]), roundMillimetres(d[2])))
	}
	if g := r.Registration; g != nil {
		facts = append(facts, "registered: "+printable.Line(g.sourceName(r.Mask.SourceVisit))+" "+
			printable.Line(g.summary()))
	}
	return facts
}

// links returns the pictures of a study's folder and result.json. Pictures that only some studies have are linked if
// they are among the outputs.
func (r Result) links() [][2]string {
	links := [][2]string{{"overlay, full size", overlayFile}}
	for _, l := range [][2]string{
		{"regions", regionsPicture}, {"unrolled", unrolledPicture}, {"depth", profileFile},
		{"registration", checkerboardFile},
	} {
		if slices.ContainsFunc(r.Outputs, func(f File) bool { return f.Path == l[1] }) {
			links = append(links, l)
		}
	}
	return append(links, [2]string{"decay", decayFile}, [2]string{"values", ResultFile})
}

// link returns the relative URL of a path with slashes.
func link(path string) string {
	u := url.URL{Path: path}
	return u.String()
}

func newDetailRow(s segment.Summary, d Decay) detailRow {
	v := detailRow{
		Compartment: printable.Line(s.Compartment), Note: printable.Line(s.Note), Excluded: s.Excluded.Reasons(),
		T2:   meanAndSD(s),
		Used: fmt.Sprintf("%d / %d", s.Used, s.Voxels),
		R2:   table.Decimals(float64(s.MeanR2), decimalsR2), Volume: table.Decimals(float64(s.VolumeMM3), decimalsVolume),
	}
	if m := table.Decimals(float64(s.MedianT2), decimalsT2); m != "" {
		v.Median = m
		q1 := table.Decimals(float64(s.Q1T2), decimalsT2)
		if q3 := table.Decimals(float64(s.Q3T2), decimalsT2); q1 != "" && q3 != "" {
			v.Median += " (" + q1 + "–" + q3 + ")"
		}
	}
	v.SE = table.Decimals(float64(s.SEMeanT2), decimalsSE)
	first := table.Decimals(float64(d.SNRFirst), decimalsSNR)
	if last := table.Decimals(float64(d.SNRLast), decimalsSNR); first != "" && last != "" {
		v.SNR = first + "–" + last
	}
	return v
}

// meanAndSD prints the mean T2 with its SD, "" without a mean.
func meanAndSD(s segment.Summary) string {
	text := table.Decimals(float64(s.MeanT2), decimalsT2)
	if sd := table.Decimals(float64(s.SDT2), decimalsT2); sd != "" {
		text += " ± " + sd
	}
	return text
}

// shortHash returns the first 12 characters of a hash, with which people can distinguish studies.
func shortHash(s string) string {
	r := []rune(printable.Line(s))
	return string(r[:min(len(r), 12)])
}

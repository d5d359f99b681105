package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image/jpeg"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("index.html").Parse(pageText))

// previewBudget is the limit in bytes of all previews that are embedded in the page: 32 MB in base64,
// about 300 studies. Further previews are loaded from the studies' folders, and the page says so.
const previewBudget = 24 << 20

// pageView is the content of index.html. It holds every text and number of the page, and the template
// only places them.
type pageView struct {
	Version                         string
	Done, Failed, NotDone, Subjects int
	Warned, Flagged                 int // finished studies that have warnings, and flags of quality
	Settings                        []settingsView
	Failures                        []Failure
	Studies                         []studyView
	Embedded, Linked                int // numbers of pictures in the page, and outside the page
	Gradient                        template.CSS
	Ticks                           []tickView
}

// settingsView is a set of settings and the number of studies that were mapped with it.
type settingsView struct {
	Text    string
	Studies int
}

// studyView is one finished study.
type studyView struct {
	Subject, Visit, Side string
	Carried              string   // says that the mask is from another visit
	Facts                []string // grid, echo times, the study's hash
	Warnings, Notes      []string
	// Links are relative to the page. They are nil if the folder is not known.
	Overlay string
	Links   []linkView
	// Preview is a data URI. If previewBudget is spent, it is a relative link, and it is empty if
	// there is no picture. Remark explains the last two.
	Preview       template.URL
	Remark        string
	Width, Height int
	Rows          []rowView
	Regions       *regionsView // nil if the mask is not divided
	Quality       *qualityView // nil if it was not measured
}

// linkView is a file of a study's folder.
type linkView struct{ Text, Address string }

// rowView is one compartment of a study.
type rowView struct {
	Compartment, T2, Median, SE, R2, SNR, Volume, Note string
	Used                                               string // numbers of used and of all voxels
	Excluded                                           []string
	Flags                                              []flagView
	Bar                                                *barView
}

// barView is mean ± SD on the scale of the pictures, in percent of the length of the scale.
type barView struct {
	Start, Length, Mean float64
	Colour              string
}

type tickView struct {
	Percent float64
	Label   string
}

// pageWriter collects the content of index.html, for a folder of results, and writes it.
type pageWriter struct {
	dir, version string
	budget       int // bytes of previews that may be embedded
	results      []Result
}

// newPageWriter returns a writer of the page that this version of t2map writes.
func newPageWriter(dir, version string) *pageWriter {
	return &pageWriter{dir: dir, version: version, budget: previewBudget}
}

// add adds a finished study. Studies are added in the order of tables.
func (p *pageWriter) add(r Result) error {
	p.results = append(p.results, r)
	return nil
}

// finish writes index.html. If a preview cannot be read, the page says so in its place.
func (p *pageWriter) finish(failures []Failure) error {
	content, err := p.content(failures)
	if err != nil {
		return err
	}
	return outfile.Replace(filepath.Join(p.dir, pageFile), content)
}

// content returns index.html.
func (p *pageWriter) content(failures []Failure) ([]byte, error) {
	v := pageView{
		Version: printable.Line(p.version), Done: len(p.results),
		Subjects: p.subjects(failures), Settings: p.settings(), Gradient: scaleGradient(),
	}
	for _, f := range failures {
		if f.NotDone {
			v.NotDone++
			continue
		}
		v.Failed++
		v.Failures = append(v.Failures, Failure{
			Subject: printable.Line(f.Subject), Visit: printable.Line(f.Visit), Study: shortHash(f.Study),
			Folder: printable.Line(f.Folder), Reason: printable.Line(f.Reason), Hint: printable.Line(f.Hint),
		})
	}
	for ms := 0; ms <= figure.ScaleMaxMS; ms += figure.ScaleTickMS {
		v.Ticks = append(v.Ticks, tickView{Percent: 100 * float64(ms) / figure.ScaleMaxMS, Label: fmt.Sprint(ms)})
	}
	all := findBaselines(p.results)
	for _, r := range p.results {
		v.add(r, all, p)
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, v)
	return b.Bytes(), err
}

// add adds a finished study.
func (v *pageView) add(r Result, all baselines, p *pageWriter) {
	s := newStudyView(r, p.dir)
	if s.addQuality(r, all) {
		v.Flagged++
	}
	if len(s.Warnings) > 0 {
		v.Warned++
	}
	embedded, err := s.addPreview(r, &p.budget)
	if err != nil {
		s.Remark = "No picture: " + previewFile + " cannot be read."
	}
	if embedded {
		v.Embedded++
	} else if s.Preview != "" {
		v.Linked++
	}
	v.Studies = append(v.Studies, s)
}

// subjects counts the subjects of all studies, done and failed.
func (p *pageWriter) subjects(failures []Failure) int {
	seen := map[string]bool{}
	for _, r := range p.results {
		seen[r.Subject] = true
	}
	for _, f := range failures {
		if f.Subject != "" {
			seen[f.Subject] = true
		}
	}
	return len(seen)
}

// settings returns the different settings of the studies, in the order of the first study of each.
func (p *pageWriter) settings() []settingsView {
	var settings []settingsView
	indices := map[string]int{}
	for _, r := range p.results {
		s := describe(r.Protocol, r.Version)
		n, ok := indices[s]
		if !ok {
			n = len(settings)
			indices[s] = n
			settings = append(settings, settingsView{Text: s})
		}
		settings[n].Studies++
	}
	return settings
}

func newStudyView(r Result, dir string) studyView {
	v := studyView{Subject: printable.Line(r.Subject), Visit: printable.Line(r.Visit), Side: printable.Line(r.Side)}
	v.Facts = append(v.Facts, fmt.Sprintf("%d × %d × %d", r.Size[0], r.Size[1], r.Size[2]))
	if n := len(r.TE); n > 0 {
		v.Facts = append(v.Facts, fmt.Sprintf("%d echoes, %.3g–%.3g ms", n, r.TE[0], r.TE[n-1]))
	}
	if sigma := table.Digits(r.Noise.median(), 4); sigma != "" {
		v.Facts = append(v.Facts, fmt.Sprintf("noise σ %s (%s)", sigma, printable.Line(r.Noise.Source)))
	}
	if r.Mask.Path != "" {
		v.Facts = append(v.Facts, fmt.Sprintf("mask %s (%s)", printable.Line(r.Mask.Path), printable.Line(r.Mask.Kind)))
	}
	if n, d := r.Mask.Size, r.Mask.Spacing; n != nil && d != nil {
		v.Facts = append(v.Facts, fmt.Sprintf("mask on a grid of %d × %d × %d, %s × %s × %s mm",
			n[0], n[1], n[2], roundMillimetres(d[0]), roundMillimetres(d[1]), roundMillimetres(d[2])))
	}
	v.Carried = printable.Line(r.Mask.Carried())
	if g := r.Registration; g != nil {
		v.Facts = append(v.Facts, "registered: "+printable.Line(g.sourceName(r.Mask.SourceVisit))+" "+g.summary())
	}
	if r.Study != "" {
		v.Facts = append(v.Facts, "study "+shortHash(r.Study))
	}
	for _, w := range r.Warnings {
		v.Warnings = append(v.Warnings, printable.Line(w))
	}
	for _, n := range r.Notes {
		v.Notes = append(v.Notes, printable.Line(n))
	}
	if folder := r.folder(dir); folder != "" {
		v.Overlay, v.Links = link(folder, overlayFile), r.links(folder)
	}
	v.Regions = r.regionsView()
	for _, s := range r.Compartments {
		v.Rows = append(v.Rows, newRowView(s, r.decayOf(s.Compartment)))
	}
	if len(v.Rows) == 0 {
		v.Rows = []rowView{{Note: "no compartments"}}
	}
	return v
}

// links returns links to the pictures and to result.json of a study's folder. Pictures that only some
// studies have are linked if they are among the outputs.
func (r Result) links(folder string) []linkView {
	links := []linkView{{"overlay, full size", link(folder, overlayFile)}}
	for _, l := range []linkView{
		{"regions", regionsPicture}, {"unrolled", unrolledPicture}, {"depth", profileFile},
		{"registration", checkerboardFile},
	} {
		if slices.ContainsFunc(r.Outputs, func(f File) bool { return f.Path == l.Address }) {
			links = append(links, linkView{l.Text, link(folder, l.Address)})
		}
	}
	return append(links, linkView{"decay", link(folder, decayFile)}, linkView{"values", link(folder, ResultFile)})
}

// link returns the relative URL of a file in a folder given with slashes.
func link(folder, file string) string {
	u := url.URL{Path: folder + "/" + file}
	return u.String()
}

func newRowView(s segment.Summary, d Decay) rowView {
	v := rowView{
		Compartment: printable.Line(s.Compartment), Note: printable.Line(s.Note), Excluded: s.Excluded.Reasons(),
		T2:   table.Decimals(float64(s.MeanT2), decimalsT2),
		Used: fmt.Sprintf("%d / %d", s.Used, s.Voxels),
		R2:   table.Decimals(float64(s.MeanR2), decimalsR2), Volume: table.Decimals(float64(s.VolumeMM3), decimalsVolume),
	}
	if sd := table.Decimals(float64(s.SDT2), decimalsT2); sd != "" {
		v.T2 += " ± " + sd
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
	v.Bar = newBarView(float64(s.MeanT2), float64(s.SDT2))
	return v
}

// newBarView returns the bar of a mean, or nil if the mean is not finite. Without an SD its length is 0.
func newBarView(mean, sd float64) *barView {
	if !isFinite(mean) {
		return nil
	}
	if !isFinite(sd) {
		sd = 0
	}
	percent := func(ms float64) float64 { return math.Round(1000*min(max(ms/figure.ScaleMaxMS, 0), 1)) / 10 }
	start, end := percent(mean-sd), percent(mean+sd)
	c := figure.ScaleColour(mean / figure.ScaleMaxMS)
	return &barView{
		Start: start, Length: math.Round(10*(end-start)) / 10, Mean: percent(mean),
		Colour: fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B),
	}
}

// addPreview embeds the study's preview.jpg. If the budget is spent, it adds a link.
func (v *studyView) addPreview(r Result, budget *int) (embedded bool, err error) {
	if r.Dir == "" {
		return false, nil
	}
	path := filepath.Join(r.Dir, previewFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		v.Remark = "No picture: there is no " + previewFile + " in the study's folder."
		return false, nil
	}
	if err != nil {
		return false, err
	}
	size, err := jpeg.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	v.Width, v.Height = size.Width, size.Height
	if len(raw) <= *budget {
		*budget -= len(raw)
		v.Preview = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(raw))
		return true, nil
	}
	*budget = 0 // link all further pictures, so that all embedded ones come first
	if v.Overlay == "" {
		v.Remark = "No picture: the page has reached its size limit, and the study's folder cannot be linked."
		return false, nil
	}
	v.Preview = template.URL(strings.TrimSuffix(v.Overlay, overlayFile) + previewFile)
	v.Remark = "This picture is not part of the page. It is loaded from the study's folder."
	return false, nil
}

// scaleGradient returns the colours of T2 as a CSS gradient.
func scaleGradient() template.CSS {
	var stops []string
	const steps = 8 // plasma is almost linear between eighths
	for n := range steps + 1 {
		c := figure.ScaleColour(float64(n) / steps)
		stops = append(stops, fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
	}
	return template.CSS("linear-gradient(to right, " + strings.Join(stops, ", ") + ")")
}

// shortHash returns the first 12 characters of a hash, with which people can distinguish studies.
func shortHash(s string) string {
	r := []rune(printable.Line(s))
	return string(r[:min(len(r), 12)])
}

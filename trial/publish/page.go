package publish

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"html/template"
	"path"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New(pageFile).Parse(pageSource))

// pageView has the texts of the page.
type pageView struct {
	Name, Subtitle, Version string
	// Plan names the plan file, if there is one, with its Hash.
	Plan, Hash, Departures string
	Counts                 []count
	// Headlines are the primary results below Lead. If there are many, they are in Primary instead.
	Lead         string
	Headlines    []headline
	Primary      grid
	PrimaryFlags figureLines
	Sensitivity  grid
	Notes        []string
	Flow         flowView
	People       grid
	Methods      []paragraph
	Figures      []figureView
	Results      []section
	Flags        []flagGroup
	Quality      grid
	Individuals  section
	Inputs       grid
	Tables       []string
}

type count struct{ N, Name string }

// headline is a primary result.
type headline struct{ Contrast, Result, Detail string }

// section is a heading with its grids.
type section struct {
	ID, Title, Lead string
	Grids           []grid
}

type figureView struct {
	Title, Caption string
	Lines          figureLines
	Image          template.URL
	Links          []link
	// Width in mm.
	Width float64
}

type link struct{ Text, Address string }

// pageOf returns trial.html.
func pageOf(a trial.Analysis, pictures []figure.Picture) ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, newPageView(&a, pictures)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func newPageView(a *trial.Analysis, pictures []figure.Picture) pageView {
	v := pageView{
		Name: trialName(a.Design), Version: called(a.Version), Plan: "no frozen plan", Counts: countList(a),
		PrimaryFlags: primaryFlags(a), Sensitivity: sensitivityGrid(a), Flow: newFlowView(a), People: peopleGrid(a),
		Methods: methods(a), Inputs: inputGrid(a), Flags: flagGroups(a), Quality: qualityGrid(a),
		Individuals: individualSection(a),
	}
	if a.PlanFile.Name != "" {
		v.Plan, v.Hash = "Plan: "+called(a.PlanFile.Name)+", SHA-256 ", called(a.PlanFile.SHA256)
		v.Departures = departureText(a)
	}
	v.Subtitle = "Change over visits"
	if len(a.Design.Arms) > 1 {
		v.Subtitle += " by arm"
	}
	if v.Lead, v.Headlines = headlines(a); len(v.Headlines) > mostHeadlines {
		v.Headlines, v.Primary = nil, primaryGrid(a)
	}
	for _, n := range a.Notes {
		v.Notes = append(v.Notes, called(n))
	}
	for _, p := range pictures {
		v.Figures = append(v.Figures, newFigureView(a, p))
	}
	for _, s := range []section{
		descriptionSection(a), modelSection(a), supportingSection(a), responderSection(a), correlationSection(a),
	} {
		if len(s.Grids) > 0 {
			v.Results = append(v.Results, s)
		}
	}
	for _, t := range tables(&trial.Analysis{}) {
		v.Tables = append(v.Tables, t.name)
	}
	return v
}

func countList(a *trial.Analysis) []count {
	item := func(n int, one, many string) count {
		if n == 1 {
			return count{"1", one}
		}
		return count{thousands(n), many}
	}
	return []count{
		item(len(a.Design.Subjects), "participant", "participants"), item(len(a.Design.Arms), "arm", "arms"),
		item(len(a.Design.Visits), "visit", "visits"), item(len(a.Endpoints), "endpoint", "endpoints"),
		item(len(a.Flags), "flag", "flags"),
	}
}

// newFigureView returns a picture with its caption and files.
func newFigureView(a *trial.Analysis, p figure.Picture) figureView {
	v := figureView{Title: called(p.Title), Caption: called(p.Caption), Width: p.Width, Image: imageOf(p)}
	v.Lines = newFigureLines(a, p)
	for _, f := range pictureFiles([]figure.Picture{p}) {
		extension := strings.TrimPrefix(path.Ext(f.path), ".")
		v.Links = append(v.Links, link{strings.ToUpper(extension), f.path})
	}
	return v
}

// imageOf returns a picture as a data URL: the SVG, unless that is large and the PNG is smaller, as for
// pictures that contain images.
func imageOf(p figure.Picture) template.URL {
	address := func(kind string, content []byte) template.URL {
		return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content))
	}
	const large = 512 << 10 // bytes; a drawing of lines and letters has a tenth
	switch smaller := len(p.PNG) > 0 && len(p.PNG) < len(p.SVG); {
	case len(p.SVG) > 0 && !(smaller && len(p.SVG) > large):
		return address("image/svg+xml", p.SVG)
	case len(p.PNG) > 0:
		return address("image/png", p.PNG)
	}
	return ""
}

func inputGrid(a *trial.Analysis) grid {
	g := grid{Heads: heads("File", "SHA-256"), Class: "inputs"}
	rows := group{}
	for _, in := range a.Inputs {
		rows.Rows = append(rows.Rows, row{Cells: []cell{textCell(in.Name),
			{Text: printable.Line(in.SHA256), Class: "hash"}}})
	}
	g.Groups = []group{rows}
	return g
}

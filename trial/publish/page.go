package publish

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"html/template"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New(pageFile).Parse(pageSource))

// pageView is the page as texts.
type pageView struct {
	Name, Subtitle, Version string
	Counts                  []count
	// Headlines are the primary results, one sentence each; Lead says what they are.
	Lead      string
	Headlines []headline
	Notes     []string
	Flow      flowView
	People    grid
	Methods   []paragraph
	Figures   []figureView
	Sections  []section
	Flags     []flagGroup
	FlagCount int
	Inputs    grid
	Tables    []string
	Level     string
}

type count struct{ N, What string }

// headline is a primary result.
type headline struct{ What, Figures, Detail string }

// section is a heading with its grids.
type section struct {
	ID, Title, Lead string
	Grids           []grid
}

type figureView struct {
	Name, Title, Caption string
	Flags                []string
	// MoreFlags are those beyond the first few.
	MoreFlags []string
	Image     template.URL
	Links     []link
	Width     string
}

type link struct{ Text, Address string }

type flagGroup struct {
	Kind, About string
	N           string
	Grid        grid
}

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
		Name: trialName(a.Design), Version: called(a.Version), Level: percentOf(a.Plan.Level),
		Counts: counts(a), Flow: newFlowView(a), People: peopleGrid(a), Methods: methods(a),
		Inputs: inputGrid(a), FlagCount: len(a.Flags), Flags: flagGroups(a),
	}
	v.Subtitle = "Change over visits"
	if len(a.Design.Arms) > 1 {
		v.Subtitle += " by arm"
	}
	v.Lead, v.Headlines = headlines(a)
	for _, n := range a.Notes {
		v.Notes = append(v.Notes, called(n))
	}
	for _, p := range pictures {
		v.Figures = append(v.Figures, newFigureView(p))
	}
	for _, s := range []section{
		descriptionSection(a), modelSection(a), besideSection(a), responderSection(a), correlationSection(a), individualSection(a),
	} {
		if len(s.Grids) > 0 {
			v.Sections = append(v.Sections, s)
		}
	}
	for _, t := range tables(&trial.Analysis{}) {
		v.Tables = append(v.Tables, t.name)
	}
	return v
}

func counts(a *trial.Analysis) []count {
	of := func(n int, one, many string) count {
		if n == 1 {
			return count{"1", one}
		}
		return count{thousands(n), many}
	}
	return []count{
		of(len(a.Design.Subjects), "participant", "participants"), of(len(a.Design.Arms), "arm", "arms"),
		of(len(a.Design.Visits), "visit", "visits"), of(len(a.Endpoints), "endpoint", "endpoints"), of(len(a.Flags), "flag", "flags"),
	}
}

// newFigureView embeds the picture: its SVG, or where there is none its PNG.
func newFigureView(p figure.Picture) figureView {
	const firstFlags = 5
	v := figureView{Name: p.Name, Title: called(p.Title), Caption: called(p.Caption)}
	for i, f := range p.Flags {
		if i < firstFlags {
			v.Flags = append(v.Flags, called(f))
		} else {
			v.MoreFlags = append(v.MoreFlags, called(f))
		}
	}
	for _, f := range []struct {
		name, extension, kind string
		content               []byte
	}{{"SVG", ".svg", "image/svg+xml", p.SVG}, {"PNG", ".png", "image/png", p.PNG}, {"PDF", ".pdf", "", p.PDF}} {
		if len(f.content) == 0 {
			continue
		}
		// An address of our own making: names are letters, digits, hyphens and underscores.
		v.Links = append(v.Links, link{f.name, figureFolder + "/" + p.Name + f.extension})
		if v.Image == "" && f.kind != "" {
			v.Image = template.URL("data:" + f.kind + ";base64," + base64.StdEncoding.EncodeToString(f.content))
		}
	}
	return v
}

func inputGrid(a *trial.Analysis) grid {
	g := grid{Heads: words("File", "SHA-256"), Class: "inputs"}
	rows := group{}
	for _, in := range a.Inputs {
		rows.Rows = append(rows.Rows, row{Cells: []cell{say(in.Name), {Text: printable.Line(in.SHA256), Class: "hash"}}})
	}
	g.Groups = []group{rows}
	return g
}

// flagMeanings say what a kind of flag is, and what it does to the figures.
var flagMeanings = map[trial.FlagKind]string{
	trial.NotInDesign:    "Results of subjects or visits that the design does not have. They are not used.",
	trial.NoResult:       "Planned visits without a result. They stay missing.",
	trial.OtherSide:      "Results of the knee that is not studied. They are not used.",
	trial.TwoStudies:     "Two studies at one visit. Shown on every figure it touches.",
	trial.ProtocolChange: "Settings, method, echo times, matrix or spacing differ from the subject’s baseline. Shown on every figure it touches.",
	trial.ScannerChange:  "Another scanner than at the subject’s baseline. Shown on every figure it touches.",
	trial.Quality:        "What the pipeline itself noted.",
}

func flagGroups(a *trial.Analysis) []flagGroup {
	var groups []flagGroup
	kinds := append([]trial.FlagKind{}, flagKinds...)
	known := map[trial.FlagKind]bool{}
	for _, k := range kinds {
		known[k] = true
	}
	for _, f := range a.Flags {
		if !known[f.Kind] {
			known[f.Kind] = true
			kinds = append(kinds, f.Kind)
		}
	}
	for _, k := range kinds {
		g := grid{Heads: words("Subject", "Visit", "Endpoint", "What is the matter"), Class: "flags"}
		rows := group{}
		for _, f := range a.Flags {
			if f.Kind == k {
				rows.Rows = append(rows.Rows, row{Cells: []cell{name(f.Subject), name(f.Visit), name(f.Endpoint), say(f.Text)}})
			}
		}
		if n := len(rows.Rows); n > 0 {
			g.Groups = []group{rows}
			groups = append(groups, flagGroup{called(string(k)), flagMeanings[k], thousands(n), g.finish("flags.csv")})
		}
	}
	return groups
}

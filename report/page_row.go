package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

const (
	// rowsOfPiece is the number of studies in a file of rows: about 300 kB.
	rowsOfPiece = 1000
	// studiesOfDetails is the number of studies in a file of details, which a browser reads to show one of them: about
	// 400 kB. It divides rowsOfPiece, so that the details of a piece are in files of their own.
	studiesOfDetails = 100
)

// The values of the status of a row.
const (
	rowDone = iota
	rowFailed
	rowNotDone
)

// rowPiece is the content of a file of rows: everything that the page sorts and filters by. Texts that repeat stand
// once, and rows hold their indices.
type rowPiece struct {
	Compartments []string    `json:"compartments"`
	Measures     [][2]string `json:"measures"` // key and label
	Texts        []string    `json:"texts"`
	// Details names the files of details, each with those of studiesOfDetails rows.
	Details []string `json:"details"`
	Rows    [][]any  `json:"rows"`

	compartments, measures, texts map[string]int
}

// content returns the piece with empty lists instead of null.
func (p rowPiece) content() rowPiece {
	p.Compartments, p.Texts, p.Details = orEmpty(p.Compartments), orEmpty(p.Texts), orEmpty(p.Details)
	p.Measures = orEmpty(p.Measures)
	return p
}

// addResult adds the row of a finished study: 0 identifier, 1 subject, 2 visit, 3 side, 4 folder, 5 status, 6 values,
// 7 flags, 8 warnings, 9 the visit with which T2 is compared, 10 study. Values are triples: compartment, T2, change of
// T2. Flags are triples: measure, compartment or −1, and 1 for those at which values should not be used, otherwise 0.
func (p *rowPiece) addResult(r Result, dir string, flags []QualityFlag, all references) {
	values, marks, warnings := []any{}, []int{}, []int{}
	for _, s := range r.Compartments {
		values = append(values, p.compartment(s.Compartment), rounded(float64(s.MeanT2), decimalsT2),
			rounded(all.change(r, s.Compartment), decimalsT2))
	}
	for _, f := range flags {
		compartment, level := -1, 0
		if f.Compartment != "" {
			compartment = p.compartment(f.Compartment)
		}
		if f.Level == Fail {
			level = 1
		}
		marks = append(marks, p.measure(f.Measure), compartment, level)
	}
	for _, w := range r.Warnings {
		warnings = append(warnings, p.text(printable.Line(w)))
	}
	p.Rows = append(p.Rows, []any{r.identifier(), printable.Line(r.Subject),
		printable.Line(r.Visit), printable.Line(r.Side), printable.Line(r.folder(dir)), rowDone, values, marks, warnings,
		p.reference(all, r), shortHash(r.Study)})
}

// addFailure adds a study without a result. After the numbers of addResult, 11 is the reason and 12 the hint.
func (p *rowPiece) addFailure(f Failure) {
	status := rowFailed
	if f.NotDone {
		status = rowNotDone
	}
	none := []int{}
	p.Rows = append(p.Rows, []any{identifier(f.Subject, f.Visit, f.Study, f.Series, f.Side, f.Folder, f.Reason),
		printable.Line(f.Subject), printable.Line(f.Visit), printable.Line(f.Side), printable.Line(f.Folder), status,
		none, none, none, -1, shortHash(f.Study), p.text(printable.Line(f.Reason)), p.text(printable.Line(f.Hint))})
}

// reference returns the index of the visit with which a result is compared, −1 if there is none.
func (p *rowPiece) reference(all references, r Result) int {
	visit, ok := all.before(r)
	if !ok {
		return -1
	}
	return p.text(printable.Line(visit))
}

func (p *rowPiece) compartment(name string) int {
	name = printable.Line(name)
	return indexIn(&p.compartments, name, func() { p.Compartments = append(p.Compartments, name) })
}

func (p *rowPiece) text(text string) int {
	return indexIn(&p.texts, text, func() { p.Texts = append(p.Texts, text) })
}

func (p *rowPiece) measure(m Measure) int {
	return indexIn(&p.measures, string(m), func() {
		label, ok := measureLabels[m]
		if !ok { // of a later version
			label = string(m)
		}
		p.Measures = append(p.Measures, [2]string{printable.Line(string(m)), printable.Line(label)})
	})
}

// indexIn returns the index of a text in a list. If it is not there, insert appends it.
func indexIn(indices *map[string]int, text string, insert func()) int {
	n, ok := (*indices)[text]
	if !ok {
		if *indices == nil {
			*indices = map[string]int{}
		}
		n = len(*indices)
		(*indices)[text] = n
		insert()
	}
	return n
}

// measureLabels name the measures in the page's list of flags.
var measureLabels = map[Measure]string{
	MeasureSNRLast: "SNR", MeasureShift: "shift between echoes",
	MeasureShiftCorrelation: "shift not measurable", MeasureExcluded: "excluded voxels",
	MeasureVoxels: "few voxels", MeasureEroded: "eroded mean", MeasureT2: "T2 out of range",
	MeasureSaturated: "saturated", MeasureZero: "without signal", MeasureStimulated: "S2/S1", MeasureChi2: "residual χ²",
	MeasureAcquisition: "deviation from the protocol", MeasureVolume: "volume",
	MeasureBaselineScanner: "other scanner", MeasureBaselineSoftware: "other software",
	MeasureBaselineAcquisition: "other acquisition",
}

// identifierBytes is the length of an identifier. Two of a million studies have the same one with a probability below
// 1 %.
const identifierBytes = 6

// identifier returns the identifier of a result.
func (r Result) identifier() string { return identifier(r.Subject, r.Visit, r.Study, r.Series, r.Side) }

// identifier returns the name of a row in addresses. It stays the same when other studies are added.
func identifier(texts ...string) string {
	raw, err := json.Marshal(texts)
	if err != nil { // texts are always valid
		panic(err)
	}
	return fmt.Sprintf("%.*x", identifierBytes, sha256.Sum256(raw))
}

// rounded returns a number as tables print it, null in JSON if it is not finite.
func rounded(x float64, decimals int) json.RawMessage {
	if text := table.Decimals(x, decimals); text != "" {
		return json.RawMessage(text)
	}
	return json.RawMessage("null")
}

// script returns a program that calls a function of the page with data. JSON escapes <, > and &, so that no text can
// end a script or begin markup.
func script(function string, data any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("t2map." + function + "(")
	if err := json.NewEncoder(&b).Encode(data); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - 1) // the line end
	b.WriteString(");\n")
	return b.Bytes(), nil
}

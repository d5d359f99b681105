package accuracy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/table"
)

// Result is how well the methods find a known T2: what package accuracy measures
// and Write writes.
type Result struct {
	// Version is the version of t2map, Platform the machine it ran on, in words.
	Version, Platform string
	// Draws is the number of draws in a cell; JudgedDraws that where limits are.
	Draws, JudgedDraws int
	Seed               uint64
	// Echoes and Spacing (ms) are the train that limits, tables and pictures are
	// about; accuracy.csv has all.
	Echoes  int
	Spacing float64
	Methods []Method
	Cells   []Cell
	Null    []Null
	Limits  []Limit
}

// Null is how often the primary test of a trial finds a difference where there is
// none.
type Null struct {
	// Method is the test's name; Where are the missing visits in words.
	Method, Words, Where string
	PerArm               int
	// First holds the first trials, All those and the others.
	First, All Rate
}

// Rate counts trials that found a difference.
type Rate struct {
	Trials, Found int
	// FellBack were fitted with a covariance that is not the first; Failed could not be
	// analysed, and count as having found nothing.
	FellBack, Failed int
	// Share is Found over Trials, Low and High its exact 95 % interval.
	Share, Low, High float64
}

// Method is a method with the options it was measured with.
type Method struct {
	Name, Words string
	// Variant says that it is the method before it with other options.
	Variant bool
	// Skipped is the number of first echoes that are not fitted.
	Skipped int
}

// Cell is what a method made of one T2 in one train at one SNR and B1.
type Cell struct {
	Method  string
	Skipped int
	Echoes  int
	Spacing float64 // first echo time and echo spacing, ms
	T2      float64 // ms
	SNR     float64 // S0/σ
	B1      float64 // turn of the refocusing pulses over 180°
	Draws   int
	// Bias is the median estimate over the truth, less 1; infinite where most
	// draws have lost their T2 upwards.
	Bias float64
	// SD, RobustSD (from the quartiles) and RMSE in ms.
	SD, RobustSD, RMSE float64
	// Bound is the Cramér–Rao bound of the SD in ms for Rician noise, GaussianBound
	// that for Gaussian noise; NaN where the model is not that of the signal.
	Bound, GaussianBound float64
	// Coverage is the share of 95 % intervals that hold the truth; Failed the
	// share of draws without an estimate.
	Coverage, Failed float64
}

// SDOverBound returns the standard deviation in units of the Cramér–Rao bound.
func (c Cell) SDOverBound() float64 { return c.SD / c.Bound }

// The quantities of limits.
const (
	QuantityBias     = "bias"
	QuantitySD       = "SD over bound"
	QuantityCoverage = "coverage"
	// QuantityFalsePositives is about a trial's test, not a cell.
	QuantityFalsePositives = "false positives"
)

// Limit is a limit set beforehand and what became of it.
type Limit struct {
	Method, Quantity string
	Low, High        float64
	Where            string
	// Cells is the number of cells judged, Worst the one nearest to the limit or
	// furthest beyond, Value its figure and Chance the standard error of that
	// from the number of draws.
	Cells         int
	Worst         Cell
	Value, Chance float64
	// At says where Value is from if it is from no cell.
	At  string
	Met bool
}

// Missed counts the limits that are not met.
func (a Result) Missed() int {
	n := 0
	for _, l := range a.Limits {
		if !l.Met {
			n++
		}
	}
	return n
}

// The files of Write.
const (
	fileCSV      = "accuracy.csv"
	fileMarkdown = "accuracy.md"
	fileSNR      = "bias-snr.png"
	fileB1       = "bias-b1.png"
	filePage     = "index.html"
)

// ErrOtherPage says that a folder holds a page that is not one of accuracy.
var ErrOtherPage = errors.New("its index.html was not written by validate")

// CheckFolder makes dir, or returns an error where it already has an
// index.html but no accuracy.csv: that page is a trial's.
func CheckFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	_, page := os.Stat(filepath.Join(dir, filePage))
	_, table := os.Stat(filepath.Join(dir, fileCSV))
	if page == nil && errors.Is(table, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", dir, ErrOtherPage)
	}
	return nil
}

// Write writes accuracy.csv (a row per cell and method), index.html,
// accuracy.md and the pictures bias-snr.png and bias-b1.png into the folder dir,
// which must be there. The same figures give the same bytes.
func Write(dir string, a Result) error {
	var snr, b1 bytes.Buffer
	if err := errors.Join(a.plotSNR(&snr), a.plotB1(&b1)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	v := newPageView(a)
	v.SNRPicture, v.B1Picture = dataURI(snr.Bytes()), dataURI(b1.Bytes())
	var page, markdown bytes.Buffer
	if err := errors.Join(pageTemplate.Execute(&page, v), markdownTemplate.Execute(&markdown, v)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var errs []error
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{fileCSV, table.Write(cellColumns, a.Cells)},
		{fileSNR, snr.Bytes()},
		{fileB1, b1.Bytes()},
		{fileMarkdown, markdown.Bytes()},
		{filePage, page.Bytes()},
	} {
		errs = append(errs, outfile.Replace(filepath.Join(dir, f.name), f.content))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Print writes the table of the judged train at B1 = 1 and the limits as
// text, for a terminal.
func Print(w io.Writer, a Result) error { return printView(w, newPageView(a)) }

// find returns the cell of a method, or one of NaN where there is none.
func (a Result) find(method string, at Cell) Cell {
	for _, c := range a.Cells {
		if c.Method == method && c.Echoes == at.Echoes && c.Spacing == at.Spacing && c.T2 == at.T2 && c.SNR == at.SNR && c.B1 == at.B1 {
			return c
		}
	}
	nan := math.NaN()
	at.Method, at.Bias, at.SD, at.RobustSD, at.RMSE = method, nan, nan, nan, nan
	at.Bound, at.GaussianBound, at.Coverage, at.Failed = nan, nan, nan, nan
	return at
}

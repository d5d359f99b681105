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

// Result is the accuracy of all methods: the cells of the grid, the trials without an effect, and
// the limits.
type Result struct {
	// Version is the version of t2map. Platform describes the machine.
	Version, Platform string
	// Draws is the number of draws in a cell, JudgedDraws the number in a cell with limits.
	Draws, JudgedDraws int
	Seed               uint64
	// Echoes and Spacing (ms) are the train of the limits, the tables and the pictures. accuracy.csv has all trains.
	Echoes  int
	Spacing float64
	Methods []Method
	Cells   []Cell
	Null    []Null
	Limits  []Limit
}

// Null is the rate at which the primary test finds a difference in trials without an effect.
type Null struct {
	// Method is the name of the test, Words its description. Scope describes the missing visits.
	Method, Words, Scope string
	PerArm               int
	// First is the rate in the first tenth of the trials, All the rate in all trials.
	First, All Rate
}

// Rate is the rate of trials that found a difference.
type Rate struct {
	Trials, Found int
	// FellBack is the number of trials that were fitted with a fallback covariance, Failed the number of trials that
	// could not be analysed, which count as trials that found no difference.
	FellBack, Failed int
	// Share is Found/Trials. Low and High are its exact 95 % interval.
	Share, Low, High float64
}

// Method is a method of estimation with its options.
type Method struct {
	Name, Words string
	// Variant reports that this is the previous method with other options.
	Variant bool
	// Skipped is the number of first echoes that are not fitted.
	Skipped int
}

// Cell describes the estimates of a method for one T2 in one train at one SNR and B1.
type Cell struct {
	Method  string
	Skipped int
	Echoes  int
	Spacing float64 // first echo time and echo spacing, ms
	T2      float64 // ms
	SNR     float64 // S0/σ
	B1      float64 // refocusing angle over 180°
	Draws   int
	// Bias is the median estimate over the truth, minus 1. It is infinite if the signals of most draws do not decay.
	Bias float64
	// SD, RobustSD (from the quartiles) and RMSE in ms.
	SD, RobustSD, RMSE float64
	// Bound is the Cramér–Rao bound of the SD in ms for Rician noise, GaussianBound the one for Gaussian noise. Both
	// are NaN if the signal does not follow the model of the method.
	Bound, GaussianBound float64
	// Coverage is the share of the 95 % intervals that contain the truth, Failed the share of the draws without an
	// estimate.
	Coverage, Failed float64
}

// SDOverBound returns the standard deviation in units of the Cramér–Rao bound.
func (c Cell) SDOverBound() float64 { return c.SD / c.Bound }

// The quantities of limits.
const (
	QuantityBias     = "bias"
	QuantitySD       = "SD over bound"
	QuantityCoverage = "coverage"
	// QuantityFalsePositives is a quantity of the test of a trial, not of a cell.
	QuantityFalsePositives = "false positives"
)

// Limit is a limit that was set before anything was measured, and the value that is compared with it.
type Limit struct {
	Method, Quantity string
	Low, High        float64
	Scope            string
	// Cells is the number of cells to which the limit applies. Worst is the cell nearest to the limit, or furthest
	// outside, Value its value, and Chance the standard error of this value due to the number of draws.
	Cells         int
	Worst         Cell
	Value, Chance float64
	// Source describes the source of Value if it is not a cell.
	Source string
	Met    bool
}

// Missed returns the number of limits that are not met.
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

// ErrOtherPage is the error of a folder whose page was not written by Write.
var ErrOtherPage = errors.New("its index.html was not written by validate")

// CheckFolder creates the folder dir. It returns an error if dir has an index.html but no accuracy.csv, because the
// page is then another report.
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
// which must exist. The same result gives the same bytes.
func Write(dir string, a Result) error {
	var snr, b1 bytes.Buffer
	if err := errors.Join(a.plotSNR(&snr), a.plotB1(&b1)); err != nil {
		return fmt.Errorf("accuracy: %w", err)
	}
	v := newPageView(a)
	v.SNRPicture, v.B1Picture = dataURI(snr.Bytes()), dataURI(b1.Bytes())
	var page, markdown bytes.Buffer
	if err := errors.Join(pageTemplate.Execute(&page, v), markdownTemplate.Execute(&markdown, v)); err != nil {
		return fmt.Errorf("accuracy: %w", err)
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
		return fmt.Errorf("accuracy: %w", err)
	}
	return nil
}

// Print writes the table of the train with the limits at B1 = 1, and the limits, as text for a terminal.
func Print(w io.Writer, a Result) error { return printView(w, newPageView(a)) }

// find returns the cell of a method with the train, T2, SNR and B1 of place. If there is none, its values are NaN.
func (a Result) find(method string, place Cell) Cell {
	for _, c := range a.Cells {
		if c.Method == method && c.Echoes == place.Echoes && c.Spacing == place.Spacing &&
			c.T2 == place.T2 && c.SNR == place.SNR && c.B1 == place.B1 {
			return c
		}
	}
	nan := math.NaN()
	place.Method, place.Bias, place.SD, place.RobustSD, place.RMSE = method, nan, nan, nan, nan
	place.Bound, place.GaussianBound, place.Coverage, place.Failed = nan, nan, nan, nan
	return place
}

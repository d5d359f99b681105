package report

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
)

// The tables beside the studies' folders.
const (
	compartmentsTable = "compartments.csv"
	studiesTable      = "studies.csv"
)

// Failure is a study that gave no result.
type Failure struct {
	Subject string `json:"subject"`
	Visit   string `json:"visit"`
	// Study is the hash of the StudyInstanceUID, where it is known. Series and Side are those
	// of the knee that was to be mapped, as in Result, where that was settled.
	Study  string `json:"study"`
	Series string `json:"series"`
	Side   string `json:"side"`
	// Folder is where the study lies, as far as it may be shown.
	Folder string `json:"folder"`
	// Reason says what is wrong; Hint, if any, what can be done.
	Reason string `json:"reason"`
	Hint   string `json:"hint"`
	// Alike says that other studies of the run lie in the same Folder, so that Study alone
	// tells which is meant.
	Alike bool `json:"-"`
	// NotDone says that nothing is wrong with the study: the run ended before it was done.
	NotDone bool `json:"not_done,omitempty"`
}

// status is what tables call it.
func (f Failure) status() string {
	if f.NotDone {
		return statusNotDone
	}
	return statusFailed
}

// What studies.csv says of a study.
const (
	statusDone    = "done"
	statusFailed  = "failed"
	statusNotDone = "not done"
)

// Cohort is all studies of a run, done, failed and not done, in any order.
type Cohort struct {
	// Version is the version of t2map that writes the tables.
	Version  string
	Results  []Result
	Failures []Failure
}

// WriteTables writes compartments.csv, studies.csv and index.html into the
// folder dir, which must be there. Rows are in the order of subject, visit,
// study and series, whatever the order in c.
//
// A file is replaced as a whole, so that a reader sees the earlier or the new
// one, except on Windows, which cannot do so: there a crash may leave a part of
// a table, and the tables are to be made again from the studies' result.json.
//
// A file that cannot be written does not keep the others from being written: the
// error, which joins what went wrong, names each. A picture that cannot be read is
// no error; the page says so in its place.
//
// Cells that a spreadsheet would run as a formula begin with an apostrophe.
func WriteTables(dir string, c Cohort) error {
	c = c.sorted()
	page, err := c.page(dir, previewBudget)
	errs := []error{err}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{compartmentsTable, printable.CSV(compartmentColumns, c.compartmentRows())},
		{studiesTable, printable.CSV(studyColumns, c.studyRows(dir))},
		{pageFile, page},
	} {
		errs = append(errs, outfile.Replace(filepath.Join(dir, f.name), f.content))
	}
	return errors.Join(errs...)
}

// sorted returns a copy with results and failures in the order of tables.
func (c Cohort) sorted() Cohort {
	c.Results = slices.Clone(c.Results)
	slices.SortStableFunc(c.Results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Visit, b.Visit), cmp.Compare(a.Study, b.Study), cmp.Compare(a.Series, b.Series))
	})
	c.Failures = slices.Clone(c.Failures)
	slices.SortStableFunc(c.Failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Visit, b.Visit), cmp.Compare(a.Study, b.Study), cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Reason, b.Reason))
	})
	return c
}

var compartmentColumns = slices.Concat(
	[]string{"subject", "visit", "study", "series", "side", "compartment", "region", "layer", "voxels", "used"},
	exclusionColumns(),
	[]string{"mean_t2_ms", "se_mean_t2_ms", "sd_t2_ms", "median_t2_ms", "q1_t2_ms", "q3_t2_ms", "mean_r2", "snr_first", "snr_last", "volume_mm3", "mean_fraction", "plate_mean_t2_ms", "texture_contrast", "texture_entropy", "texture_homogeneity", "mask_from", "lossy_images", "method", "skipped_echoes", "settings", "scanner", "scanner_software", "acquisition", "note"},
)

func exclusionColumns() []string {
	var names []string
	for s := range (segment.Excluded{}).Each {
		names = append(names, "excluded_"+s.String())
	}
	return names
}

// The decimals of printed figures. T2 is good to a percent (field data: 1 to 5 %
// scan to scan), so two decimals lose nothing; result.json has all.
const (
	decimalsT2     = 2
	decimalsSE     = 3 // the noise of a mean of many voxels
	decimalsR2     = 4
	decimalsSNR    = 1
	decimalsVolume = 1

	decimalsFraction = 3
	decimalsTexture  = 3
)

// compartmentRows returns a row for each compartment of each study, followed by those of
// its regions and layers.
func (c Cohort) compartmentRows() [][]string {
	var rows [][]string
	for _, r := range c.Results {
		for _, s := range r.Compartments {
			rows = append(rows, r.compartmentRow(s, r.decayOf(s.Compartment)))
			for _, part := range r.Regions {
				if part.Compartment == s.Compartment {
					rows = append(rows, r.compartmentRow(part, noDecay()))
				}
			}
		}
	}
	return rows
}

// compartmentRow returns the row of one summary.
func (r Result) compartmentRow(s segment.Summary, d Decay) []string {
	row := []string{
		printable.Cell(r.Subject), printable.Cell(r.Visit), printable.Cell(r.Study), printable.Cell(r.Series), printable.Cell(r.Side),
		printable.Cell(s.Compartment), printable.Cell(s.Region), printable.Cell(s.Layer), strconv.Itoa(s.Voxels), strconv.Itoa(s.Used),
	}
	for _, n := range s.Excluded.Each {
		row = append(row, strconv.Itoa(n))
	}
	return append(row,
		number(s.MeanT2, decimalsT2), number(s.SEMeanT2, decimalsSE), number(s.SDT2, decimalsT2), number(s.MedianT2, decimalsT2),
		number(s.Q1T2, decimalsT2), number(s.Q3T2, decimalsT2), number(s.MeanR2, decimalsR2),
		number(d.SNRFirst, decimalsSNR), number(d.SNRLast, decimalsSNR), number(s.VolumeMM3, decimalsVolume),
		number(s.MeanFraction, decimalsFraction), number(s.PlateMeanT2, decimalsT2),
		number(s.Texture.Contrast, decimalsTexture), number(s.Texture.Entropy, decimalsTexture), number(s.Texture.Homogeneity, decimalsTexture), printable.Cell(r.Mask.From), yes(r.LossyImages),
		printable.Cell(r.Protocol.Method), strconv.Itoa(r.Protocol.SkippedEchoes), printable.Cell(describe(r.Protocol, r.Version)), printable.Cell(r.Scanner.text()), printable.Cell(r.Scanner.software()), printable.Cell(r.acquisition()), printable.Cell(s.Note),
	)
}

// decayOf returns the decay of a compartment, without figures where it has none.
func (r Result) decayOf(compartment string) Decay {
	for _, d := range r.Decays {
		if d.Compartment == compartment {
			return d
		}
	}
	return noDecay()
}

func noDecay() Decay {
	nan := segment.Number(math.NaN())
	return Decay{SNRFirst: nan, SNRLast: nan}
}

var studyColumns = []string{
	"subject", "visit", "study", "series", "side", "folder", "status", "reason", "hint",
	"echoes", "first_te_ms", "last_te_ms", "nx", "ny", "nz", "dx_mm", "dy_mm", "dz_mm", "scanner", "scanner_software", "acquisition", "lossy_images", "mask", "mask_kind", "mask_from",
	"voxels", "used", "median_sigma", "sigma_source", "method", "skipped_echoes", "settings", "protocol", "version",
}

// studyRows returns the finished studies, with their folders as seen from dir,
// and after them the failed ones.
func (c Cohort) studyRows(dir string) [][]string {
	var rows [][]string
	for _, r := range c.Results {
		first, last := "", ""
		if n := len(r.TE); n > 0 {
			first, last = short(r.TE[0]), short(r.TE[n-1])
		}
		voxels, used := r.voxels()
		rows = append(rows, []string{
			printable.Cell(r.Subject), printable.Cell(r.Visit), printable.Cell(r.Study), printable.Cell(r.Series), printable.Cell(r.Side), printable.Cell(r.folder(dir)), statusDone, "", "",
			strconv.Itoa(len(r.TE)), first, last,
			strconv.Itoa(r.Size[0]), strconv.Itoa(r.Size[1]), strconv.Itoa(r.Size[2]),
			millimetres(r.Spacing[0]), millimetres(r.Spacing[1]), millimetres(r.Spacing[2]), printable.Cell(r.Scanner.text()), printable.Cell(r.Scanner.software()), printable.Cell(r.acquisition()), yes(r.LossyImages), printable.Cell(r.Mask.Path), printable.Cell(r.Mask.Kind), printable.Cell(r.Mask.From),
			strconv.Itoa(voxels), strconv.Itoa(used), fourDigits(r.Noise.median()), printable.Cell(r.Noise.Source), printable.Cell(r.Protocol.Method), strconv.Itoa(r.Protocol.SkippedEchoes), printable.Cell(describe(r.Protocol, r.Version)),
			printable.Cell(r.Protocol.Name), printable.Cell(r.Version),
		})
	}
	for _, f := range c.Failures {
		row := make([]string, len(studyColumns))
		copy(row, []string{printable.Cell(f.Subject), printable.Cell(f.Visit), printable.Cell(f.Study), printable.Cell(f.Series), printable.Cell(f.Side), printable.Cell(f.Folder), f.status(), printable.Cell(f.Reason), printable.Cell(f.Hint)})
		row[len(row)-1] = printable.Cell(c.Version)
		rows = append(rows, row)
	}
	return rows
}

// yes prints a flag so that those that are raised stand out in a column.
func yes(flag bool) string {
	if flag {
		return "yes"
	}
	return ""
}

// voxels returns the voxels of all compartments and how many of them are used.
func (r Result) voxels() (all, used int) {
	for _, s := range r.Compartments {
		all += s.Voxels
		used += s.Used
	}
	return all, used
}

// folder returns the study's folder as seen from dir, with forward slashes, or
// "" where the result has none or it lies on another volume.
func (r Result) folder(dir string) string {
	if r.Dir == "" {
		return ""
	}
	rel, err := filepath.Rel(dir, r.Dir)
	if err != nil {
		return ""
	}
	return filepath.ToSlash(rel)
}

// number prints x with fixed decimals; a figure that could not be had is an
// empty cell.
func number(x segment.Number, decimals int) string {
	if !isFinite(float64(x)) {
		return ""
	}
	return strconv.FormatFloat(float64(x), 'f', decimals, 64)
}

// fourDigits prints x with four digits, for quantities of any size.
func fourDigits(x float64) string {
	if !isFinite(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// millimetres prints a spacing to 0.1 µm, without the noise of an oblique
// affine's root.
func millimetres(x float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(x, 'f', 4, 64), "0"), ".")
}

// millimetres2 prints a spacing as people name it.
func millimetres2(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

// FailuresOf returns the studies that studies.csv, as its rows with the columns' names
// first, lists as failed or not done. It is an error where a column is missing.
func FailuresOf(rows [][]string) ([]Failure, error) {
	at := map[string]int{}
	for n, name := range rows[0] {
		at[name] = n
	}
	for _, name := range studyColumns[:9] {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("it has no column %s", name)
		}
	}
	var out []Failure
	for _, row := range rows[1:] {
		cell := func(name string) string {
			// An apostrophe that keeps a spreadsheet from running the cell is not part of it.
			text, cut := strings.CutPrefix(row[at[name]], "'")
			if cut && printable.Cell(text) == text {
				return row[at[name]]
			}
			return text
		}
		switch status := cell("status"); status {
		case statusFailed, statusNotDone:
			out = append(out, Failure{Subject: cell("subject"), Visit: cell("visit"), Study: cell("study"), Series: cell("series"), Side: cell("side"), Folder: cell("folder"),
				Reason: cell("reason"), Hint: cell("hint"), NotDone: status == statusNotDone})
		}
	}
	return out, nil
}

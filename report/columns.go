package report

import (
	"slices"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
)

// The decimals of numbers in tables. Two decimals are enough for T2, which varies by 1 to 5 % from
// scan to scan. result.json has all digits.
const (
	decimalsT2     = 2
	decimalsSE     = 3 // the noise of a mean of many voxels
	decimalsR2     = 4
	decimalsSNR    = 1
	decimalsVolume = 1

	decimalsFraction = 3
	decimalsTexture  = 3
)

// identified holds the first cells of a row of either table.
type identified struct{ Subject, Visit, Study, Series, Side string }

var identityColumns = []table.Column[identified]{
	table.Text("subject", "Subject", table.FromImages, func(i identified) string { return i.Subject }),
	table.Text("visit", "Visit", table.FromImages, func(i identified) string { return i.Visit }),
	table.Text("study", "Hash of the StudyInstanceUID", table.FromImages, func(i identified) string { return i.Study }),
	table.Text("series", "Hash of the SeriesInstanceUID", table.FromImages,
		func(i identified) string { return i.Series }),
	table.Text("side", "Side of the knee", table.FromImages, func(i identified) string { return i.Side }),
}

func (r Result) identified() identified {
	return identified{r.Subject, r.Visit, r.Study, r.Series, r.Side}
}

var scannerColumns = []table.Column[Result]{
	table.Text("scanner", "Scanner", table.FromImages, func(r Result) string { return r.Scanner.text() }),
	table.Text("scanner_software", "Software of the scanner", table.FromImages,
		func(r Result) string { return r.Scanner.software() }),
	table.Text("acquisition", "Settings of the acquisition", table.FromImages, Result.acquisition),
}

var (
	maskFromColumn = table.Text("mask_from", "Visit that the mask was carried from", table.FromSettings,
		func(r Result) string { return r.Mask.SourceVisit })
	maskReadColumn = table.Text("mask_read", "Whether a reader has signed the mask", table.FromSettings,
		func(r Result) string { return r.Mask.Read.state() }).WithTerms("signed, adjudicated or empty")
	lossyColumn = table.Flag("lossy_images", "Images that were compressed with loss", "yes",
		func(r Result) bool { return r.LossyImages }).WithOrigin(table.FromImages)
)

var settingsColumns = []table.Column[Result]{
	table.Text("method", "Method of estimating T2", table.FromSettings,
		func(r Result) string { return r.Protocol.Method }),
	table.Count("skipped_echoes", "First echoes that are not fitted",
		func(r Result) int { return r.Protocol.SkippedEchoes }).WithOrigin(table.FromSettings),
	table.Text("settings", "Settings of the program", table.FromSettings,
		func(r Result) string { return describe(r.Protocol, r.Version) }),
	protocolColumn,
}

var protocolColumn = table.Text("protocol_sha256", "SHA-256 of the settings that a folder's results have in common",
	table.FromSettings, func(r Result) string { return r.Protocol.SHA256 })

// compartmentRow is a row of compartments.csv: a compartment, or a region or layer of it.
type compartmentRow struct {
	segment.Summary
	decay  Decay
	result Result
}

var compartmentColumns = func() []table.Column[compartmentRow] {
	result := func(r compartmentRow) Result { return r.result }
	text := func(name, label string, value func(segment.Summary) string) table.Column[compartmentRow] {
		return table.Text(name, label, table.Derived, func(r compartmentRow) string { return value(r.Summary) })
	}
	fixed := func(name, label string, decimals int, value func(compartmentRow) number.Float) table.Column[compartmentRow] {
		return table.Fixed(name, label, decimals, func(r compartmentRow) float64 { return float64(value(r)) })
	}
	t2 := func(name, label string, decimals int, value func(segment.Summary) number.Float) table.Column[compartmentRow] {
		return fixed(name, label, decimals, func(r compartmentRow) number.Float { return value(r.Summary) }).WithUnit("ms")
	}
	texture := func(name, label string, value func(segment.Texture) number.Float) table.Column[compartmentRow] {
		return fixed(name, label, decimalsTexture, func(r compartmentRow) number.Float { return value(r.Texture) })
	}
	return slices.Concat(
		table.Lift(func(r compartmentRow) identified { return r.result.identified() }, identityColumns),
		[]table.Column[compartmentRow]{
			text("compartment", "Compartment", func(s segment.Summary) string { return s.Compartment }),
			text("region", "Region of the compartment", func(s segment.Summary) string { return s.Region }),
			text("layer", "Layer of the cartilage", func(s segment.Summary) string { return s.Layer }),
			table.Count("voxels", "Voxels", func(r compartmentRow) int { return r.Voxels }),
			table.Count("used", "Voxels with a sound T2", func(r compartmentRow) int { return r.Used }),
		},
		exclusionColumns(),
		[]table.Column[compartmentRow]{
			t2("mean_t2_ms", "Mean T2", decimalsT2, func(s segment.Summary) number.Float { return s.MeanT2 }),
			t2("se_mean_t2_ms", "Standard error of the mean from the noise", decimalsSE,
				func(s segment.Summary) number.Float { return s.SEMeanT2 }),
			t2("sd_t2_ms", "Standard deviation", decimalsT2, func(s segment.Summary) number.Float { return s.SDT2 }),
			t2("median_t2_ms", "Median", decimalsT2, func(s segment.Summary) number.Float { return s.MedianT2 }),
			t2("q1_t2_ms", "Lower quartile", decimalsT2, func(s segment.Summary) number.Float { return s.Q1T2 }),
			t2("q3_t2_ms", "Upper quartile", decimalsT2, func(s segment.Summary) number.Float { return s.Q3T2 }),
			fixed("mean_r2", "Mean R² of the fits", decimalsR2,
				func(r compartmentRow) number.Float { return r.MeanR2 }),
			fixed("snr_first", "Signal over noise at the first echo", decimalsSNR,
				func(r compartmentRow) number.Float { return r.decay.SNRFirst }),
			fixed("snr_last", "Signal over noise at the last echo", decimalsSNR,
				func(r compartmentRow) number.Float { return r.decay.SNRLast }),
			fixed("volume_mm3", "Volume", decimalsVolume,
				func(r compartmentRow) number.Float { return r.VolumeMM3 }).WithUnit("mm3"),
			fixed("mean_fraction", "Mean fraction of the voxels in the mask", decimalsFraction,
				func(r compartmentRow) number.Float { return r.MeanFraction }),
			t2("plate_mean_t2_ms", "Mean of the plates' mean T2", decimalsT2,
				func(s segment.Summary) number.Float { return s.PlateMeanT2 }),
			texture("texture_contrast", "Contrast of T2", func(t segment.Texture) number.Float { return t.Contrast }),
			texture("texture_entropy", "Entropy of T2", func(t segment.Texture) number.Float { return t.Entropy }),
			texture("texture_homogeneity", "Homogeneity of T2",
				func(t segment.Texture) number.Float { return t.Homogeneity }),
		},
		table.Lift(result, slices.Concat([]table.Column[Result]{maskFromColumn, maskReadColumn, lossyColumn},
			settingsColumns, scannerColumns)),
		[]table.Column[compartmentRow]{
			text("note", "Why numbers are missing", func(s segment.Summary) string { return s.Note }),
		})
}()

// exclusionColumns count the excluded voxels by reason, in the order of volume.Exclusions.
func exclusionColumns() []table.Column[compartmentRow] {
	var columns []table.Column[compartmentRow]
	for s := range (segment.Excluded{}).Each {
		columns = append(columns, table.Count("excluded_"+s.String(), "Voxels that are excluded", func(r compartmentRow) int {
			for status, n := range r.Excluded.Each {
				if status == s {
					return n
				}
			}
			return 0
		}))
	}
	return columns
}

// studyRow is a row of studies.csv: a study that is done, or a Failure.
type studyRow struct {
	Failure
	status, version string
	result          *Result // nil for a failure
}

var studyColumns = func() []table.Column[studyRow] {
	text := func(name, label string, value func(studyRow) string) table.Column[studyRow] {
		return table.Text(name, label, table.Derived, value)
	}
	return slices.Concat(
		table.Lift(func(r studyRow) identified {
			return identified{r.Subject, r.Visit, r.Study, r.Series, r.Side}
		}, identityColumns),
		[]table.Column[studyRow]{
			text("folder", "Folder of the result, or of the images of a failure", func(r studyRow) string { return r.Folder }),
			text("status", "Status", func(r studyRow) string { return r.status }).WithTerms("done, failed, not done"),
			text("reason_code", "Kind of the reason", func(r studyRow) string { return string(r.Code) }).
				WithTerms("see docs/results.md"),
			text("reason", "Why there is no result", func(r studyRow) string { return r.Reason }),
			text("hint", "What can be done", func(r studyRow) string { return r.Hint }),
			table.Count("memory_bytes", "Memory that was reserved for the study, for one worker",
				func(r studyRow) int { return knownBytes(r.MemoryBytes) }).WithUnit("bytes"),
		},
		ofResult(gridColumns), ofResult(scannerColumns), ofResult(maskColumns), ofResult(settingsColumns),
		[]table.Column[studyRow]{
			text("protocol", "Name of the protocol", func(r studyRow) string {
				if r.result == nil {
					return ""
				}
				return r.result.Protocol.Name
			}).WithOrigin(table.FromSettings),
			text("version", "Version of t2map", func(r studyRow) string { return r.version }).WithOrigin(table.Assigned),
		})
}()

// knownBytes returns a number of bytes for table.Count: 0 means that it is not known.
func knownBytes(n int64) int {
	if n == 0 {
		return -1
	}
	return int(n)
}

// ofResult returns columns of results whose cells are empty for failures.
func ofResult(columns []table.Column[Result]) []table.Column[studyRow] {
	return table.LiftPresent(func(r studyRow) *Result { return r.result }, columns)
}

// printed returns a column of numbers of the images that are already formatted.
func printed(name, label, unit string, value func(Result) string) table.Column[Result] {
	c := table.Text(name, label, table.FromImages, value).WithUnit(unit)
	c.Kind = table.Numeric
	return c
}

var gridColumns = func() []table.Column[Result] {
	te := func(name, label string, index func(n int) int) table.Column[Result] {
		return printed(name, label, "ms", func(r Result) string {
			if len(r.TE) == 0 {
				return ""
			}
			return short(r.TE[index(len(r.TE))])
		})
	}
	columns := []table.Column[Result]{
		table.Count("echoes", "Echoes", func(r Result) int { return len(r.TE) }).WithOrigin(table.FromImages),
		te("first_te_ms", "First echo time", func(int) int { return 0 }),
		te("last_te_ms", "Last echo time", func(n int) int { return n - 1 }),
	}
	for axis, name := range []string{"nx", "ny", "nz"} {
		columns = append(columns, table.Count(name, "Voxels along an axis of the grid",
			func(r Result) int { return r.Size[axis] }).WithOrigin(table.FromImages))
	}
	for axis, name := range []string{"dx_mm", "dy_mm", "dz_mm"} {
		columns = append(columns, printed(name, "Spacing along an axis of the grid", "mm",
			func(r Result) string { return millimetres(r.Spacing[axis]) }))
	}
	return columns
}()

var maskColumns = []table.Column[Result]{
	lossyColumn,
	table.Text("mask", "File of the mask", table.FromSettings, func(r Result) string { return r.Mask.Path }),
	table.Text("mask_kind", "Kind of the mask", table.FromSettings, func(r Result) string { return r.Mask.Kind }),
	maskFromColumn,
	maskReadColumn,
	table.Count("voxels", "Voxels of all compartments", func(r Result) int { all, _ := r.voxels(); return all }),
	table.Count("used", "Those with a sound T2", func(r Result) int { _, used := r.voxels(); return used }),
	table.Significant("median_sigma", "Median over the slices of the standard deviation of the noise", 4,
		func(r Result) float64 { return r.Noise.median() }),
	table.Text("sigma_source", "Source of the noise", table.Derived, func(r Result) string { return r.Noise.Source }),
}

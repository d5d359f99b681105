package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

// ExpectedAcquisition is the acquisition that a protocol expects. A value that it does not expect is 0, nil or NaN.
type ExpectedAcquisition struct {
	Echoes    int      `json:"echoes,omitempty"`
	SpacingMS Expected `json:"spacing_ms"`
	TRMS      Expected `json:"tr_ms"`
	// VoxelMM is the distance between columns, rows and slices.
	VoxelMM          [3]number.Float `json:"voxel_mm"`
	VoxelToleranceMM number.Float    `json:"voxel_tolerance_mm"`
	FieldT           Expected        `json:"field_t"`
	// Scanners are patterns of the scanner's model.
	Scanners []string `json:"scanners,omitempty"`
	// Deviation is flag or fail.
	Deviation string `json:"deviation"`
}

// Expected is a number with its tolerance; both are NaN if any value is accepted.
type Expected struct {
	Value     number.Float `json:"value"`
	Tolerance number.Float `json:"tolerance"`
}

// DeviationItem is the part of an acquisition in which a study deviates from the protocol.
type DeviationItem string

// The items, named after the keys of the protocol.
const (
	DeviationEchoes   DeviationItem = "echoes"
	DeviationSpacing  DeviationItem = "spacing_ms"
	DeviationTR       DeviationItem = "tr_ms"
	DeviationVoxel    DeviationItem = "voxel_mm"
	DeviationField    DeviationItem = "field_t"
	DeviationScanners DeviationItem = "scanners"
)

// Deviation is a difference between the acquisition of a study and the one that the protocol expects.
type Deviation struct {
	Item DeviationItem `json:"item"`
	// Found and Expected hold the values, three for a voxel and otherwise one. A value is NaN if the images do not
	// have it, or differ in it. They are empty for scanners.
	Found     []number.Float `json:"found,omitempty"`
	Expected  []number.Float `json:"expected,omitempty"`
	Tolerance number.Float   `json:"tolerance"`
	// Varies says that the images differ in the value.
	Varies bool `json:"varies,omitempty"`
	// Model is the model of the scanner, "" if the images do not have it, and Models are the expected patterns.
	Model  string   `json:"model,omitempty"`
	Models []string `json:"models,omitempty"`
}

// inDeviations names the items in sentences.
var inDeviations = map[DeviationItem]struct{ name, unit string }{
	DeviationEchoes: {"number of echoes", ""}, DeviationSpacing: {"echo spacing", " ms"}, DeviationTR: {"TR", " ms"},
	DeviationVoxel: {"voxel size", " mm"}, DeviationField: {"field strength", " T"},
	DeviationScanners: {"scanner model", ""},
}

// Text describes the deviation: "echo spacing 12.5 ms, expected 10 ± 0.5 ms".
func (d Deviation) Text() string {
	words := inDeviations[d.Item]
	if d.Item == DeviationScanners {
		found := "not in the images"
		if d.Model != "" {
			found = printable.Short(d.Model)
		}
		return fmt.Sprintf("%s %s, expected %s", words.name, found, printable.FirstNames(d.Models))
	}
	found := listed(d.Found) + words.unit
	switch {
	case d.Varies:
		found = "that varies"
	case slices.ContainsFunc(d.Found, func(v number.Float) bool { return !isFinite(float64(v)) }):
		found = "not in the images"
	}
	expected := listed(d.Expected)
	if d.Tolerance > 0 {
		expected += " ± " + short(float64(d.Tolerance))
	}
	return fmt.Sprintf("%s %s, expected %s%s", words.name, found, expected, words.unit)
}

// listed prints one number, or the three of a voxel.
func listed(values []number.Float) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, table.Digits(float64(v), 5))
	}
	return strings.Join(texts, " × ")
}

// DeviationsText joins the texts of deviations.
func DeviationsText(all []Deviation) string {
	var texts []string
	for _, d := range all {
		texts = append(texts, d.Text())
	}
	return strings.Join(texts, "; ")
}

// DeviationsWarning returns the warning about the deviations of a study.
func DeviationsWarning(all []Deviation) string {
	return "the acquisition is not that of the protocol: " + DeviationsText(all)
}

// Package report writes the results of a T2 analysis: for each study a folder with maps,
// pictures and result.json, and for each cohort the tables compartments.csv and studies.csv
// and the page index.html with its files in the folder page.
//
// Units are ms for TE and T2, mm for lengths and mm³ for volumes. Pictures show slices as
// DICOM stores them, row by row, with the patient's directions (A, P, S, I, L, R) at their
// edges. A value that does not exist is NaN in memory, null in JSON and an empty cell in CSV,
// never 0.
//
// The package does not compute T2 or statistics. It does not read the clock or the name of the
// host, so that the same input produces the same bytes. Results identify a person only by the
// subject code, the visit and hashes.
package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
)

// ResultFile is the name of the file in a study's folder that holds its Result.
// It is written last: a folder that has it is complete.
const ResultFile = "result.json"

// SegmentationFile is the name of the file in a study's folder that holds the mask that a
// program made.
const SegmentationFile = "segmentation.nii.gz"

// Result is the content of result.json: everything that is known about one finished study.
type Result struct {
	// Version is the version of t2map that made the result.
	Version string `json:"version"`
	// Subject and Visit are codes of the trial, not names.
	Subject string `json:"subject"`
	Visit   string `json:"visit"`
	// Study and Series are hashes of the StudyInstanceUID and SeriesInstanceUID.
	Study  string `json:"study"`
	Series string `json:"series"`
	// Side of the knee is left or right, or empty if it is not known.
	Side     string   `json:"side"`
	Protocol Protocol `json:"protocol"`
	// Mask is the file that marked the compartments.
	Mask Mask `json:"mask"`
	// Division describes how the mask was divided. It is nil if the mask marks compartments, or
	// if each of its tissues is a row.
	Division *Division `json:"division,omitempty"`
	// Registration describes how the mask was moved to the images; nil if it was not.
	Registration *Registration `json:"registration,omitempty"`
	// LossyImages says that images were compressed with loss.
	LossyImages bool `json:"lossy_images"`
	// Scanner and Acquisition reveal a change of either between visits. They are nil in results
	// of versions that did not write them.
	Scanner     *Scanner     `json:"scanner,omitempty"`
	Acquisition *Acquisition `json:"acquisition,omitempty"`
	// Deviations are the differences between the acquisition and the one that the protocol expects.
	Deviations []Deviation `json:"deviations,omitempty"`
	// TE holds all echo times in ms, including those of skipped echoes.
	TE []float64 `json:"te_ms"`
	// Size is the number of columns, rows and slices. Spacing is the distance between their
	// centres in mm.
	Size    [3]int     `json:"size"`
	Spacing [3]float64 `json:"spacing_mm"`
	// Anatomy describes the image in anatomy.nii.gz; nil if there is none.
	Anatomy *Anatomy `json:"anatomy,omitempty"`
	// Compartments holds one summary per compartment in the order of the scheme.
	Compartments []segment.Summary `json:"compartments"`
	// Regions holds the summaries of plates, regions and layers, by compartment. It is absent if
	// the mask marks compartments.
	Regions []segment.Summary `json:"regions,omitempty"`
	// Parts holds the meaning of the numbers in regions.nii.gz, from 1. It is absent if the mask
	// marks compartments.
	Parts []segment.Part `json:"parts,omitempty"`
	// Profiles holds T2 against depth for each plate. It is absent if the mask has no depth.
	Profiles []Profile `json:"profiles,omitempty"`
	Decays   []Decay   `json:"decays"`
	// Noise is the noise of the images.
	Noise Noise `json:"noise"`
	// Quality holds measures of quality control, nil in results of versions that did not make them, and
	// QualityFlags the measures beyond a limit of the protocol.
	Quality      *Quality      `json:"quality,omitempty"`
	QualityFlags []QualityFlag `json:"quality_flags,omitempty"`
	// Warnings are reasons to doubt the values, such as lossy images or a mask without voxels.
	Warnings []string `json:"warnings"`
	// Notes are remarks for the reader, for example that files were ignored.
	Notes []string `json:"notes"`
	// Request identifies everything that the result depends on except the contents of the inputs; see
	// pipeline.Job.Request.
	Request string `json:"request"`
	// MemoryBytes is the memory that was reserved for the study, for one worker, so that it does not depend on the
	// machine. It is 0 in results of versions that did not write it.
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
	// Inputs are the files that were read, and Outputs the files beside result.json.
	Inputs  []File `json:"inputs"`
	Outputs []File `json:"outputs"`

	// Dir is the folder that the result was written to or read from. It is not part of
	// result.json, which stays valid when the folder is moved.
	Dir string `json:"-"`
	// Superseded is the folder to which WriteStudy has moved an earlier result, or "".
	Superseded string `json:"-"`
}

// Anatomy is the series over which maps are shown.
type Anatomy struct {
	// Series is the hash of its SeriesInstanceUID. It equals Result.Series if the anatomy is the
	// first echo of the mapped series.
	Series string `json:"series"`
	// TE is its echo time in ms.
	TE float64 `json:"te_ms"`
	// Size and Spacing describe its grid, as in Result.
	Size    [3]int     `json:"size"`
	Spacing [3]float64 `json:"spacing_mm"`
	// LossyImages says that its images were compressed with loss.
	LossyImages bool `json:"lossy_images"`
}

// Noise is the standard deviation of each channel of the complex signal, in the
// units of the series.
type Noise struct {
	// Source is given, residuals or background.
	Source string `json:"source"`
	// Sigma holds one value per slice, null if it is not known.
	Sigma []number.Float `json:"sigma"`
}

// median returns the median over the slices that have a value, NaN if none has.
func (n Noise) median() float64 {
	var known []float64
	for _, s := range n.Sigma {
		if isFinite(float64(s)) {
			known = append(known, float64(s))
		}
	}
	if len(known) == 0 {
		return math.NaN()
	}
	slices.Sort(known)
	m := len(known) / 2
	if len(known)%2 == 0 {
		return (known[m-1] + known[m]) / 2
	}
	return known[m]
}

// Decay is the mean signal of a compartment and the curve fitted to it.
type Decay struct {
	Compartment string `json:"compartment"`
	// Voxels is the number of voxels in the mean.
	Voxels int `json:"voxels"`
	// Signal holds one mean per element of Result.TE, including skipped echoes.
	Signal []number.Float `json:"signal"`
	// T2 is in ms, and S0 in the units of the signal. Both are NaN if no curve was fitted.
	T2 number.Float `json:"t2_ms"`
	S0 number.Float `json:"s0"`
	// Model holds the fitted signal at each element of Result.TE, null for a skipped echo. It is
	// empty if the model is S0·exp(−TE/T2).
	Model []number.Float `json:"model,omitempty"`
	// SNRFirst and SNRLast are the mean signal of the first fitted echo, and of the last echo of
	// the train, divided by the noise of a voxel. They are NaN if the noise is not known.
	SNRFirst number.Float `json:"snr_first"`
	SNRLast  number.Float `json:"snr_last"`
}

// File is a file and the hexadecimal SHA-256 of its content. Path is relative,
// with forward slashes.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// ReadResult reads a result.json and sets Dir to its folder.
//
// The error names the path. It is an error if the file cannot be read, is not JSON or has no
// version, or if the number of signals of a decay differs from the number of echo times.
func ReadResult(path string) (Result, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Result{}, fmt.Errorf("result: %w", err)
	}
	return DecodeResult(raw, path)
}

// DecodeResult is ReadResult for the content of the file at path.
func DecodeResult(raw []byte, path string) (Result, error) {
	var r Result
	if err := json.Unmarshal(raw, &r); err != nil {
		return Result{}, fmt.Errorf("result: %s: %w", path, err)
	}
	if err := r.check(); err != nil {
		return Result{}, fmt.Errorf("result: %s: %w", path, err)
	}
	r.Dir = filepath.Dir(path)
	return r, nil
}

func (r Result) check() error {
	if r.Version == "" {
		return errors.New("version is missing: not a result of t2map")
	}
	for _, d := range r.Decays {
		if len(d.Signal) != len(r.TE) {
			return fmt.Errorf("decay of %q: got %d signals, want one per echo time: %d", d.Compartment, len(d.Signal), len(r.TE))
		}
		if n := len(d.Model); n != 0 && n != len(r.TE) {
			return fmt.Errorf("decay of %q: got %d values of the model, want none or one per echo time: %d",
				d.Compartment, n, len(r.TE))
		}
	}
	if n := r.Protocol.SkippedEchoes; n < 0 || n > len(r.TE) {
		return fmt.Errorf("skipped_echoes: got %d, want 0 to %d", n, len(r.TE))
	}
	return nil
}

// encode returns the text of result.json, with a line end.
func (r Result) encode() ([]byte, error) {
	// With null, readers in other languages would have to handle two kinds of empty list.
	r.TE = orEmpty(r.TE)
	r.Compartments = orEmpty(r.Compartments)
	r.Decays = orEmpty(r.Decays)
	r.Warnings = orEmpty(r.Warnings)
	r.Notes = orEmpty(r.Notes)
	r.Inputs = orEmpty(r.Inputs)
	r.Outputs = orEmpty(r.Outputs)
	r.Protocol.Labels = orEmpty(r.Protocol.Labels)
	r.Noise.Sigma = orEmpty(r.Noise.Sigma)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

package protocol

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
)

// Reads says how readers read the studies of a trial, and which reads are the masks of a run. It does not change what a
// mask gives, and is therefore not part of the record of a protocol: a result names its mask.
type Reads struct {
	// Use says which reads are masks; "" means ReadsAny.
	Use ReadsUse
	// RepeatsPercent is the percentage of a reader's studies that come a second time, hidden, 0 to 50.
	RepeatsPercent float64
	// Rejections are the reasons for which a reader may reject a study; none means any text.
	Rejections []string
	// Readers is the number of independent readers of each study; 0 means 1.
	Readers int
	// MaxWCVPercent is the largest coefficient of variation within a reader in percent, and MinDice the smallest Dice
	// coefficient of two reads; 0 means no limit.
	MaxWCVPercent, MinDice float64
}

// ReadsUse says which reads are the masks of a run.
type ReadsUse string

// The uses.
const (
	ReadsAny         ReadsUse = "any"         // a signed read of the study, or else the study's own mask
	ReadsSigned      ReadsUse = "signed"      // only studies with a signed read are mapped
	ReadsAdjudicated ReadsUse = "adjudicated" // only studies with a read that an adjudicator has signed
	ReadsNone        ReadsUse = "none"        // reads are not used
)

var readsUses = []string{string(ReadsAny), string(ReadsSigned), string(ReadsAdjudicated), string(ReadsNone)}

// The bounds of Reads.
const (
	mostRepeatsPercent = 50 // above, most reads would be repeats
	mostReaders        = 20 // typing mistakes; trials have two or three
	longestRejection   = 60 // characters, one line of a menu
	mostRejections     = 50
	mostWCVPercent     = 100
)

// WithDefaults fills in the defaults.
func (r Reads) WithDefaults() Reads {
	if r.Use == "" {
		r.Use = ReadsAny
	}
	if r.Readers == 0 {
		r.Readers = 1
	}
	return r
}

// Check returns an error if a setting is not valid.
func (r Reads) Check() error {
	if r.Use != "" && !slices.Contains(readsUses, string(r.Use)) {
		return hint.Errorf(hint.Nearest(string(r.Use), readsUses), "reads: use: %.40q is not one of %s", string(r.Use),
			strings.Join(readsUses, ", "))
	}
	switch {
	case !(r.RepeatsPercent >= 0 && r.RepeatsPercent <= mostRepeatsPercent):
		return fmt.Errorf("reads: repeats: %g is not a percentage from 0 to %d", r.RepeatsPercent, mostRepeatsPercent)
	case r.Readers < 0 || r.Readers > mostReaders:
		return fmt.Errorf("reads: readers: %d is not a number from 1 to %d", r.Readers, mostReaders)
	case !(r.MaxWCVPercent >= 0 && r.MaxWCVPercent <= mostWCVPercent):
		return fmt.Errorf("reads: max_wcv_percent: %g is not a percentage above 0 and at most %d", r.MaxWCVPercent,
			mostWCVPercent)
	case !(r.MinDice >= 0 && r.MinDice <= 1):
		return fmt.Errorf("reads: min_dice: %g is not above 0 and at most 1", r.MinDice)
	case len(r.Rejections) > mostRejections:
		return fmt.Errorf("reads: rejections: %d reasons, want at most %d", len(r.Rejections), mostRejections)
	}
	return checkRejections(r.Rejections)
}

// checkRejections returns an error if a reason cannot be shown in a menu, or occurs twice.
func checkRejections(reasons []string) error {
	for n, reason := range reasons {
		switch length := utf8.RuneCountInString(reason); {
		case strings.TrimSpace(reason) == "":
			return fmt.Errorf("reads: rejections: reason %d is empty", n+1)
		case length > longestRejection:
			return fmt.Errorf("reads: rejections: reason %d has %d characters, want at most %d", n+1, length, longestRejection)
		case printable.Line(reason) != reason || strings.TrimSpace(reason) != reason:
			return fmt.Errorf("reads: rejections: reason %d is not one line of text without surrounding spaces", n+1)
		}
		for _, earlier := range reasons[:n] {
			if strings.EqualFold(earlier, reason) {
				return fmt.Errorf("reads: rejections: %s occurs twice", printable.Short(reason))
			}
		}
	}
	return nil
}

// Rejects reports whether a reader may reject a study for the reason.
func (r Reads) Rejects(reason string) bool {
	if len(r.Rejections) == 0 {
		return strings.TrimSpace(reason) != ""
	}
	return slices.Contains(r.Rejections, reason)
}

// readsFile holds the keys of Reads.
type readsFile struct {
	Use        string   `yaml:"use"`
	Repeats    string   `yaml:"repeats"`
	Rejections []string `yaml:"rejections"`
	Readers    *int     `yaml:"readers"`
	MaxWCV     *float64 `yaml:"max_wcv_percent"`
	MinDice    *float64 `yaml:"min_dice"`
}

// reads returns the settings of the keys.
func (f readsFile) reads() (r Reads, err error) {
	r = Reads{Use: ReadsUse(f.Use), Rejections: f.Rejections}
	if f.Repeats != "" {
		number := strings.TrimSpace(strings.TrimSuffix(f.Repeats, "%"))
		if r.RepeatsPercent, err = strconv.ParseFloat(number, 64); err != nil || math.IsNaN(r.RepeatsPercent) {
			return r, hint.Errorf("write it as 10 %", "reads: repeats: %.40q is not a percentage from 0 to %d", f.Repeats,
				mostRepeatsPercent)
		}
	}
	// 0 means the default in Reads, but in a file it is a mistake.
	if f.Readers != nil {
		if r.Readers = *f.Readers; r.Readers == 0 {
			return r, fmt.Errorf("reads: readers: 0 is not a number from 1 to %d", mostReaders)
		}
	}
	for _, l := range []struct {
		name    string
		written *float64
		limit   *float64
	}{{"max_wcv_percent", f.MaxWCV, &r.MaxWCVPercent}, {"min_dice", f.MinDice, &r.MinDice}} {
		if l.written == nil {
			continue
		}
		if *l.limit = *l.written; *l.limit == 0 {
			return r, hint.Errorf("omit the key for no limit", "reads: %s: 0 is not above 0", l.name)
		}
	}
	return r, nil
}

var readsKeys = []Key{
	{Name: "use", Form: "signed", Meaning: "which masks a run uses: any (default), the signed mask of a study, or else " +
		"the study's own; signed, only signed masks, so that other studies fail; adjudicated, only masks that an " +
		"adjudicator has signed; none, only the studies' own masks"},
	{Name: "repeats", Form: "10 %", Meaning: "percentage of a reader's studies that come a second time, hidden, from 0 to " +
		"50; default 0"},
	{Name: "rejections", Form: `["motion", "wrong knee"]`, Meaning: "the reasons for which a reader may reject a study; " +
		"default: any text"},
	{Name: "readers", Form: "2", Meaning: "number of independent readers of each study; default 1"},
	{Name: "max_wcv_percent", Form: "3", Meaning: "largest coefficient of variation of mean T2 within a reader, from " +
		"the hidden repeats; default: no limit"},
	{Name: "min_dice", Form: "0.8", Meaning: "smallest Dice coefficient of two reads of a study; default: no limit"},
}

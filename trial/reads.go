package trial

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// MaskReads says which masks the values of T2 may have, by who has signed them.
type MaskReads string

// The rules.
const (
	AnyMask          MaskReads = "any"         // also masks that no reader has signed
	SignedMasks      MaskReads = "signed"      // masks that a reader has signed, as adjudicator or not
	AdjudicatedMasks MaskReads = "adjudicated" // masks that an adjudicator has signed
)

// maskRead is the column of compartments.csv that says who has signed the mask. Its texts are empty, signed and
// adjudicated.
const maskRead = "mask_read"

func (p *Plan) setReads(_, text string) (err error) {
	p.Reads, err = choose(text, map[string]MaskReads{"any": AnyMask, "signed": SignedMasks,
		"adjudicated": AdjudicatedMasks}, "any, signed or adjudicated", "reads %.40q is not known")
	return err
}

// requires reports whether the values of some masks are left out.
func (r MaskReads) requires() bool { return r == SignedMasks || r == AdjudicatedMasks }

// checkColumn returns an error if a table does not say who has signed its masks, and the rule requires it.
func (r MaskReads) checkColumn(t *table.Table) error {
	if r.requires() && !t.Has(maskRead) {
		return hint.Errorf("rebuild the tables (t2map tables), or plan reads: any",
			"%s has no column %s, which reads: %s needs", t.Name, maskRead, r)
	}
	return nil
}

// leftOut returns why the value of a row is left out; Present if it is not.
func (r MaskReads) leftOut(row table.Row) (MissingKind, error) {
	if !r.requires() {
		return Present, nil
	}
	switch text := row.Text(maskRead); {
	case text != "" && text != string(SignedMasks) && text != string(AdjudicatedMasks):
		return Present, hint.Errorf("rebuild the tables: t2map tables", "%s: %.40q is neither empty nor signed nor adjudicated",
			row.Place(maskRead), text)
	case r == SignedMasks && text == "":
		return NotSigned, nil
	case r == AdjudicatedMasks && text != string(AdjudicatedMasks):
		return NotAdjudicated, nil
	}
	return Present, nil
}

// countUnsigned counts the values that are left out because of Plan.Reads, and notes them.
func (j *joiner) countUnsigned(endpoints []Endpoint) (unsigned int) {
	have, reason := 0, Missing{}
	for _, e := range endpoints {
		for _, values := range e.Values {
			for _, value := range values {
				switch {
				case !math.IsNaN(value.X):
					have++
				case value.Missing.Kind == NotSigned || value.Missing.Kind == NotAdjudicated:
					reason = value.Missing
					unsigned++
				}
			}
		}
	}
	if unsigned > 0 {
		j.notes = append(j.notes, fmt.Sprintf("left out because %s (reads: %s): %d of %d values of T2; see missing in values.csv",
			reason, j.plan.Reads, unsigned, unsigned+have))
	}
	return unsigned
}

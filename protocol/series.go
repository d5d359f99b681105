package protocol

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/printable"
)

// Matching returns the trains that fit the rule.
func (r SeriesRule) Matching(trains []dicomio.Train) []dicomio.Train {
	var out []dicomio.Train
	for _, t := range trains {
		if r.Matches(t) {
			out = append(out, t)
		}
	}
	return out
}

// NamesSeries reports whether the rule selects a series by description, number or hash.
func (r SeriesRule) NamesSeries() bool {
	return r.Description != "" || r.Number != 0 || r.anyOf != ""
}

// String describes the rule: description "SAG*", 7 echoes, side L.
func (r SeriesRule) String() string {
	var parts []string
	if r.Description != "" {
		parts = append(parts, fmt.Sprintf("description %q", r.Description))
	}
	if r.Number != 0 {
		parts = append(parts, fmt.Sprintf("number %d", r.Number))
	}
	if r.Echoes != 0 {
		parts = append(parts, fmt.Sprintf("%d echoes", r.Echoes))
	}
	if r.Side != "" {
		parts = append(parts, "side "+r.Side)
	}
	if r.Quantity != "" {
		parts = append(parts, "quantity "+r.Quantity)
	}
	if r.anyOf != "" {
		parts = append(parts, fmt.Sprintf("%s %s", r.flag, printable.Short(r.anyOf)))
	}
	return strings.Join(parts, ", ")
}

// Matches reports whether the train fits every part of the rule that is set. A train of unknown side fits both sides.
func (r SeriesRule) Matches(t dicomio.Train) bool {
	return (r.Description == "" || glob(r.Description, t.Description)) &&
		(r.Number == 0 || r.Number == t.Number) &&
		(r.Echoes == 0 || r.Echoes == len(t.TE)) &&
		(r.Side == "" || t.Side == "" || r.Side == t.Side) &&
		(r.anyOf == "" || r.anyOf == strconv.Itoa(t.Number) || beginsHash(t.Hash, r.anyOf) ||
			glob(r.anyOf, t.Description))
}

// beginsHash reports whether text is the beginning of the hash. At least six digits are needed, so that a number of a
// series is not taken for a hash.
func beginsHash(hash, text string) bool {
	return len(text) >= 6 && strings.HasPrefix(hash, strings.ToLower(text))
}

// glob reports whether text fits the pattern, regardless of case. Unlike in a pattern of file names, * and ? also
// match a slash.
func glob(pattern, text string) bool {
	expr := regexp.QuoteMeta(pattern)
	expr = strings.ReplaceAll(strings.ReplaceAll(expr, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`(?is)^` + expr + `$`).MatchString(text)
}

// SeriesRule selects a series. Every field that is set must match.
type SeriesRule struct {
	// Description is a pattern of SeriesDescription, in which * stands for any text and ? for one character,
	// regardless of case; empty means any.
	Description string `yaml:"description"`
	// Number is SeriesNumber; 0 means any.
	Number int `yaml:"number"`
	// Echoes is the number of echo times; 0 means any.
	Echoes int `yaml:"echoes"`
	// Side is L or R; empty means any.
	Side string `yaml:"side"`
	// Quantity T2 means that the series measures T2 even if its texts say otherwise, see dicomio.Train.Claim; empty
	// means that the texts decide. It needs a rule with a description or a number.
	Quantity string `yaml:"quantity"`
	// anyOf is the value of the flag: a number, the beginning of a hash or a pattern of the description, whichever
	// fits; empty means any.
	anyOf, flag string
}

// SeriesNamed returns the rule for a flag or key that names a series by its number, the beginning of its hash or a
// pattern of its description.
func SeriesNamed(flag, text string) SeriesRule { return SeriesRule{anyOf: text, flag: flag} }

// QuantityT2 is the only value of SeriesRule.Quantity.
const QuantityT2 = "T2"

func (r SeriesRule) check(name string) error {
	if r.Side != "" && r.Side != "L" && r.Side != "R" {
		return fmt.Errorf("%s: side %q is not L or R", name, r.Side)
	}
	switch {
	case r.Quantity == "":
	case r.Quantity != QuantityT2:
		return fmt.Errorf("%s: quantity %q is not %s, the only one that is mapped", name, r.Quantity, QuantityT2)
	case name != "series":
		return fmt.Errorf("%s: quantity applies only to the series that is mapped", name)
	case r.Description == "" && r.Number == 0:
		return fmt.Errorf("%s: quantity overrides the texts of a series, and needs description or number to "+
			"select the series", name)
	}
	return nil
}

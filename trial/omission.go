package trial

import "strings"

// Omission is a term or a visit that is not in a model.
type Omission struct {
	// Term is the name of the effect; empty for a visit.
	Term string
	// Visit is an index into the design's visits; 0 for a term.
	Visit int
	// Why says in words why it is omitted.
	Why string
}

// Of returns the name of what is omitted: the term or the visit.
func (o Omission) Of(d Design) string {
	if o.Term != "" {
		return o.Term
	}
	return d.Visits[o.Visit].Name
}

// Term is a fixed effect of a model: of one variable, or the interaction of two.
type Term []string

// String returns "age", or "arm:visit" for an interaction.
func (t Term) String() string { return strings.Join(t, ":") }

// Formula is the fixed effects of a model, in their order.
type Formula []Term

// String returns the formula as R writes it: "change ~ baseline + arm + visit + arm:visit".
func (f Formula) String() string {
	if len(f) == 0 {
		return "change ~ 1"
	}
	terms := make([]string, len(f))
	for i, t := range f {
		terms[i] = t.String()
	}
	return "change ~ " + strings.Join(terms, " + ")
}

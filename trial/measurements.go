package trial

// Measurement is one compartment of one series: a row of compartments.csv.
type Measurement struct {
	// Subject, Visit, Side and Compartment are as in the table.
	Subject, Visit, Side, Compartment string
	// MeanT2 in ms; NaN where there is none, and Missing says why.
	MeanT2  float64
	Missing string
	// Settings, Scanner and Acquisition say how it was made; empty where the table does
	// not.
	Settings, Scanner, Acquisition string
	// Line of the table.
	Line int
}

// Measurements are the rows of compartments.csv in their order, for those who compare
// them without a design.
func (res Results) Measurements() []Measurement {
	var all []Measurement
	for _, m := range res.measures {
		all = append(all, Measurement{
			Subject: m.subject, Visit: m.visit, Side: m.side, Compartment: m.compartment,
			MeanT2: m.meanT2, Missing: missingText(m.meanT2, m.note),
			Settings: m.settings, Scanner: m.scanner, Acquisition: m.acquisition, Line: m.line,
		})
	}
	return all
}

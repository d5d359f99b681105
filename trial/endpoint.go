package trial

// Direction says what growth of an endpoint means.
type Direction int8

// The directions.
const (
	// Unknown: no word of better or worse is used.
	Unknown Direction = iota
	HigherIsWorse
	HigherIsBetter
)

// Endpoint is one measure of every subject at every visit.
type Endpoint struct {
	// Name is what tables call it: medial, WOMAC.
	Name string
	// Title is what figures call it: "Medial T2", "WOMAC".
	Title string
	// Unit is ms for T2, and otherwise as given; empty for scores.
	Unit string
	// Compartment says that it is the mean T2 of a compartment.
	Compartment bool
	Direction   Direction
	// Values is indexed by subject and visit of the design.
	Values [][]Value
}

// Value is one measurement, or why it is not there.
type Value struct {
	// X is NaN where there is none.
	X float64
	// Missing says why X is NaN.
	Missing Missing
	// Flags are indices into Analysis.Flags of what speaks against this value, or took it.
	Flags []int
	// Side of the knee as the images have it, Study and Series the hashes of their
	// UIDs, Method how T2 was estimated; empty for endpoints from other tables.
	Side, Study, Series, Method string
	// MaskFrom is the visit whose mask was carried to this one by registration; empty where the
	// mask was drawn, or the endpoint has none.
	MaskFrom string
	// Folder is that of the study below the results, as studies.csv has it; empty where that is
	// not known.
	Folder string
}

// FlagKind says what a flag is about.
type FlagKind string

// The kinds of flags.
const (
	// NotInDesign: results of a subject or visit that the design does not have.
	NotInDesign FlagKind = "not in the design"
	// NoResult: a planned visit without a result.
	NoResult FlagKind = "no result"
	// OtherSide: results of the knee that is not studied, which are not used.
	OtherSide FlagKind = "other side"
	// TwoStudies: two studies at one visit. It shows on every figure it touches.
	TwoStudies FlagKind = "two studies"
	// ProtocolChange: settings, method, echo times, matrix or spacing differ from the subject's
	// baseline, or the way in which T2 was estimated differs between subjects. It shows on every
	// figure it touches.
	ProtocolChange FlagKind = "protocol change"
	// ScannerChange: another scanner than at the subject's baseline. It shows on
	// every figure it touches.
	ScannerChange FlagKind = "scanner change"
	// CarriedMask: the mask was carried from another visit by registration; or some masks were, and
	// others drawn at the same visits. It shows on every figure it touches.
	CarriedMask FlagKind = "carried mask"
	// Quality: what the pipeline itself noted, such as lossy images.
	Quality FlagKind = "quality"
)

// FlagKinds are the kinds in the order of listings.
var FlagKinds = []FlagKind{NotInDesign, NoResult, OtherSide, TwoStudies, ProtocolChange, ScannerChange, CarriedMask, Quality}

// OnFigures says whether figures that a flag touches must show it.
func (k FlagKind) OnFigures() bool {
	return k == TwoStudies || k == ProtocolChange || k == ScannerChange || k == CarriedMask
}

// Flag is something that a reader of the figures has to know.
type Flag struct {
	Kind FlagKind
	// Subject and Visit are names as the tables have them; empty where it is about all.
	Subject, Visit string
	// Endpoint is empty where it is about every compartment.
	Endpoint string
	// Text says what is the matter, in words for the reader.
	Text string
}

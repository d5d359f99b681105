package pipeline

// identitySource is where an identity comes from, as far as it matters to how much it says.
type identitySource int

// The sources.
const (
	fromAttributes identitySource = iota // the subject is an attribute, the visit too or a folder
	FromManifest
	FromLayout
	FromFolder // the subject is the name of the study's folder, and there is no visit
)

// Identity is who and when a study is.
type Identity struct {
	// Subject and Visit are the trial's codes.
	Subject, Visit string
	// Side is L or R where the manifest or the layout says so, else "".
	Side string
	// Mask is the mask file that the manifest names, else "".
	Mask string
	// From says where subject and visit come from.
	From string
	// Warnings say what in it may tell who the patient is, and what speaks against it.
	Warnings []string

	Source identitySource
	Line   int // of the manifest
}

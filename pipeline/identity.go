package pipeline

// IdentitySource says where an identity comes from, and thus how reliable it is.
type IdentitySource int

// The sources of identities.
const (
	FromAttributes IdentitySource = iota // the subject is an attribute; the visit is an attribute or a folder
	FromManifest
	FromLayout
	FromFolder // the subject is the name of the study's folder, and there is no visit
)

// Identity is the subject and the visit of a study.
type Identity struct {
	// Subject and Visit are the trial's codes.
	Subject, Visit string
	// Side is L or R if the manifest or the layout says so, else "".
	Side string
	// Mask is the mask file that the manifest names, else "".
	Mask string
	// Source says where subject and visit come from, and SourceText describes it for people.
	Source     IdentitySource
	SourceText string
	// Line is the line of the manifest, or 0.
	Line int
	// Warnings name texts that may identify the patient, and reasons why the identity may be wrong.
	Warnings []string
}

package pipeline

// IdentitySource says where an identity comes from, and so how far it can be relied on.
type IdentitySource int

// The sources of identities.
const (
	FromAttributes IdentitySource = iota // the subject is an attribute, the visit too or a folder
	FromManifest
	FromLayout
	FromFolder // the subject is the name of the study's folder, and there is no visit
)

// Identity is who and when a study is.
type Identity struct {
	// Subject and Visit are the trial's codes.
	Subject, Visit string
	// Side is L or R if the manifest or the layout says so, else "".
	Side string
	// Mask is the mask file that the manifest names, else "".
	Mask string
	// Source says where subject and visit come from, and From says so in words.
	Source IdentitySource
	From   string
	// Line is that of the manifest, or 0.
	Line int
	// Warnings say what may identify the patient, and why the identity may be wrong.
	Warnings []string
}

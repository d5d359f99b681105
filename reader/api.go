package reader

import (
	"time"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/reads"
)

// The types of this file are what the server sends and takes as JSON. Times are in ms, lengths in mm; NaN is null. A
// voxel is given by its index in the order of package volume. Long arrays of voxels are sent as bytes instead, in
// little-endian order: echoes and maps as float32, the mask as uint16, the status as uint8.
//
//	GET  /api/session                       Session
//	GET  /api/cases                         []Item
//	GET  /api/cases/ID                      Study; opens it
//	GET  /api/cases/ID/echoes/N             bytes
//	GET  /api/cases/ID/maps/NAME            bytes
//	GET  /api/cases/ID/others/OTHER         Other
//	GET  /api/cases/ID/others/OTHER/voxels  bytes
//	GET  /api/cases/ID/mask                 bytes; the header Step has the step
//	GET  /api/cases/ID/values               Values, with compartments
//	GET  /api/cases/ID/voxel?v=V            Voxel
//	GET  /api/cases/ID/brush?v=V&mm=R       Voxel, of the mean of a disc
//	GET  /api/cases/ID/pulse?tab=T          Pulse; with &gone=1 the tab is closed
//	POST /api/cases/ID/begin   Begin        Draft
//	POST /api/cases/ID/stroke  Gesture      Step
//	POST /api/cases/ID/undo    Version      Step
//	POST /api/cases/ID/redo    Version      Step
//	POST /api/cases/ID/sign    Signature    Done
//	GET  /api/cases/ID/masks                Comparison; for adjudicators

// Session holds what is the same for all studies.
type Session struct {
	// User and Role are those of the person who reads. Blind says that subjects and visits are hidden.
	User  string `json:"user"`
	Role  string `json:"role"`
	Blind bool   `json:"blind"`
	// Password says that a signature needs the password of the user.
	Password bool `json:"password"`
	// Labels are those that can be drawn.
	Labels []Label `json:"labels"`
	// Reasons are those for which a study can be rejected; empty means that any text is one. Meanings are what a
	// signature can mean.
	Reasons  []string `json:"reasons"`
	Meanings []string `json:"meanings"`
	// States are the texts of the status of voxels, by their numbers.
	States []string `json:"states"`
	// Ramp is the colour map of T2: 256 colours of red, green and blue.
	Ramp    [][3]uint8 `json:"ramp"`
	Version string     `json:"version"`
}

// Label is a label of the scheme.
type Label struct {
	Value uint16 `json:"value"`
	Name  string `json:"name"`
	// Color is red, green and blue.
	Color [3]uint8 `json:"color"`
}

// Item is a line of the worklist. A blinded one has no Subject and no Visit.
type Item struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"` // the code, or subject and visit
	Subject string      `json:"subject,omitempty"`
	Visit   string      `json:"visit,omitempty"`
	State   reads.State `json:"state"`
	// Readers are the states at all readers who have begun; only for managers.
	Readers []ReaderState `json:"readers,omitempty"`
	// Problem says why the study cannot be opened.
	Problem string `json:"problem,omitempty"`
}

// ReaderState is the state of a study at a reader.
type ReaderState struct {
	Reader string      `json:"reader"`
	State  reads.State `json:"state"`
}

// Study is an open study.
type Study struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Grid Grid   `json:"grid"`
	// TE are the echo times, and Fitted says which echoes the fit uses.
	TE     []float64 `json:"te_ms"`
	Fitted []bool    `json:"fitted"`
	Method string    `json:"method"`
	// Window is the range of magnitudes that is shown at first.
	Window [2]float64 `json:"window"`
	// Maps are those that can be fetched.
	Maps   []MapInfo   `json:"maps"`
	Others []OtherInfo `json:"others"`
	// Starts are the masks from which a drawing can begin.
	Starts []Start `json:"starts"`
	// Draft is the drawing that is in progress, nil if there is none.
	Draft *Draft `json:"draft"`
	// Reads are the reader's own revisions, the last one at the end.
	Reads []Done `json:"reads"`
	// Warning says that a drawing could not be recovered.
	Warning string `json:"warning,omitempty"`
}

// Grid is a grid of voxels.
type Grid struct {
	Size    [3]int     `json:"size"`
	Spacing [3]float64 `json:"spacing_mm"`
	// Affine maps an index to the patient's position in mm, LPS.
	Affine [3][4]float64 `json:"affine"`
	// Letters are the patient's directions at the left, right, top and bottom of a slice whose index i grows to the right
	// and j downwards.
	Letters [4]string `json:"letters"`
	// Show says how a slice is turned for a reader: first i and j are exchanged if Transpose is set, then the columns are
	// mirrored if FlipX is set, and the rows if FlipY is set.
	Show struct {
		Transpose bool `json:"transpose"`
		FlipX     bool `json:"flip_x"`
		FlipY     bool `json:"flip_y"`
	} `json:"show"`
	// Plane names the plane of the slices: sagittal, coronal or axial.
	Plane string `json:"plane"`
}

// MapInfo describes a map.
type MapInfo struct {
	Name  string     `json:"name"`  // t2, s0, r2, se, residual, status
	Title string     `json:"title"` // T2
	Unit  string     `json:"unit"`
	Range [2]float64 `json:"range"` // of the colours
}

// OtherInfo names another series that can be shown beside the study: of the study, or of another visit of the subject.
type OtherInfo struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Other is another series.
type Other struct {
	OtherInfo
	Grid   Grid       `json:"grid"`
	Window [2]float64 `json:"window"`
}

// Start is a mask from which a drawing can begin.
type Start struct {
	ID   string `json:"id"` // nothing, mask, read-2, reader- with a hash, average
	Name string `json:"name"`
	// Problem says why it cannot be used.
	Problem string `json:"problem,omitempty"`
}

// Begin begins a drawing.
type Begin struct {
	Start string `json:"start"`
}

// Draft is a drawing that is in progress.
type Draft struct {
	Drawing string `json:"drawing"` // its ID
	Step
	// Warning says what was recovered when the drawing was opened again.
	Warning string `json:"warning,omitempty"`
}

// Version says from which state of a drawing a request comes. If it is another one, the server answers 409 and changes
// nothing: another tab has drawn.
type Version struct {
	Drawing string `json:"drawing"`
	Step    int    `json:"step"`
}

// Gesture is what a reader does with a tool; package tools makes a stroke of it.
type Gesture struct {
	Version
	Tool  string `json:"tool"`
	Label uint16 `json:"label"` // 0 erases
	Slice int    `json:"slice"`
	// Points are continuous indices (i, j) of the slice. The centre of a voxel has whole numbers.
	Points   [][2]float64 `json:"points,omitempty"`
	RadiusMM float64      `json:"radius_mm,omitempty"`
	// Only limits the voxels that change to those in which a map or an echo (such as t2 or echo-0) is within Limits.
	Only   string     `json:"only,omitempty"`
	Limits [2]float64 `json:"limits,omitempty"`
	// Keep does not change voxels that have another label than Label and 0.
	Keep bool `json:"keep,omitempty"`
	// Erase limits what Label 0 erases to this label; 0 erases all.
	Erase uint16 `json:"erase,omitempty"`
	// From is the slice to copy from.
	From int `json:"from,omitempty"`
	// All applies smooth, holes and clear to all slices.
	All bool `json:"all,omitempty"`
}

// Step is the state of a drawing after a step.
type Step struct {
	Step int `json:"step"`
	// Changed are the voxels that the step has changed, with their new labels.
	Changed []drawing.Run `json:"changed"`
	Undo    int           `json:"undo"`
	Redo    int           `json:"redo"`
	// Values are those of the regions of the mask.
	Values Values `json:"values"`
}

// Values are the T2 of the regions of a mask, as the tables have them.
type Values struct {
	// Rows are the labels of the scheme, in its order.
	Rows []Row `json:"rows"`
	// Compartments are those of the tables, if the scheme has tissues that are divided by the shape of the knee. Only the
	// answer to values has them.
	Compartments []Row `json:"compartments"`
	// Note says why the mask cannot be divided into compartments; empty if it can.
	Note string `json:"note,omitempty"`
	// BinMS is the width of the bins of Row.Counts, the first of which begins at 0. The last one also counts all higher values.
	BinMS float64 `json:"bin_ms"`
}

// Row is the T2 of a region.
type Row struct {
	Name   string       `json:"name"`
	Label  uint16       `json:"label,omitempty"` // of the scheme; 0 if the row has no label of its own
	Voxels int          `json:"voxels"`
	Used   int          `json:"used"`
	Mean   number.Float `json:"mean_t2_ms"`
	SD     number.Float `json:"sd_t2_ms"`
	Median number.Float `json:"median_t2_ms"`
	Note   string       `json:"note,omitempty"`
	// Counts are the numbers of used voxels by T2.
	Counts []int `json:"counts"`
}

// Voxel is a decay: of a voxel, or of the mean of several.
type Voxel struct {
	Index    [3]int         `json:"index"`
	Position [3]float64     `json:"position_mm"`
	Voxels   int            `json:"voxels"`
	Signal   []number.Float `json:"signal"`
	// Fits are the estimates of the methods; the method of the maps comes first.
	Fits []Fit `json:"fits"`
}

// Fit is the estimate of a method from a decay.
type Fit struct {
	Method string       `json:"method"`
	T2     number.Float `json:"t2_ms"`
	SE     number.Float `json:"se_ms"`
	S0     number.Float `json:"s0"`
	R2     number.Float `json:"r2"`
	Status string       `json:"status"`
	// Problem says why the method cannot be used.
	Problem string `json:"problem,omitempty"`
	// CurveTE and Curve are points of the fitted curve. Residuals are measured minus fitted, NaN for echoes that were not
	// fitted.
	CurveTE   []number.Float `json:"curve_te_ms"`
	Curve     []number.Float `json:"curve"`
	Residuals []number.Float `json:"residuals"`
}

// Pulse says what other tabs do with an open study.
type Pulse struct {
	// Tabs is the number of other tabs in which the study is open.
	Tabs int `json:"tabs"`
	Version
}

// Signature makes a read: a signed mask, a question or a rejection. See reads.Read.
type Signature struct {
	Version
	State   reads.State `json:"state"`
	Name    string      `json:"name"`
	Meaning string      `json:"meaning"`
	Text    string      `json:"text"`
	Reason  string      `json:"reason"`
	Change  string      `json:"change"`
	// Decides are the reads between which an adjudicator has decided, by Compared.Sum, in their order. If they are no longer
	// the last ones, the server answers 409.
	Decides []string `json:"decides,omitempty"`
	// Password is that of the user, for state signed, if Session.Password is set.
	Password string `json:"password,omitempty"`
}

// Done is a read that is finished; see reads.Read.
type Done struct {
	Revision int         `json:"revision"`
	State    reads.State `json:"state"`
	Time     time.Time   `json:"time"`
	Name     string      `json:"name,omitempty"`
	Meaning  string      `json:"meaning,omitempty"`
	Text     string      `json:"text,omitempty"`
	Reason   string      `json:"reason,omitempty"`
	Change   string      `json:"change,omitempty"`
	// Mask is the SHA-256 of what was signed.
	Mask string `json:"mask_sha256"`
}

// Comparison is what the readers of a study have decided.
type Comparison struct {
	Reads []Compared `json:"reads"`
	// Rows are the agreement of the first two signed masks, by label.
	Rows []ComparedRow `json:"rows"`
}

// Compared is the read of a reader that an adjudicator sees.
type Compared struct {
	Reader string `json:"reader"`
	// Sum identifies the read, see Signature.Decides.
	Sum      string        `json:"sum"`
	State    reads.State   `json:"state"`
	Reason   string        `json:"reason,omitempty"`
	Revision int           `json:"revision"`
	Mask     []drawing.Run `json:"mask"`
	Values   Values        `json:"values"`
}

// ComparedRow is the agreement of two masks in a label.
type ComparedRow struct {
	Name  string       `json:"name"`
	Label uint16       `json:"label"`
	Dice  number.Float `json:"dice"`
	// P95MM is the 95th percentile of the distances between the surfaces.
	P95MM number.Float `json:"p95_mm"`
}

// Problem is the answer to a request that failed.
type Problem struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

package reads

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/hint"
)

// Key names what is read: a series of a study, by the hashes of their UIDs.
type Key struct {
	Study  string `json:"study"`
	Series string `json:"series"`
	// Repeat is 0, or the number of a hidden repeat: the reader reads the study once more, without being told.
	Repeat int `json:"repeat,omitempty"`
}

// mostRepeats is the largest number of a repeat.
const mostRepeats = 9

// State is the state of a study at a reader.
type State string

// The states. A read has one of the last three.
const (
	ToRead   State = "to read"
	Draft    State = "draft"
	Signed   State = "signed"
	Query    State = "query"
	Rejected State = "rejected"
)

// Read is a revision of a read: the content of read.json.
type Read struct {
	Key
	Reader string `json:"reader"`
	// Code is what a blinded reader saw instead of subject and visit.
	Code string `json:"code,omitempty"`
	// Revision counts from 1.
	Revision int   `json:"revision"`
	State    State `json:"state"`
	// Time is when the read was signed, in UTC.
	Time time.Time `json:"time"`
	// Name is the reader's name as it is signed, and Meaning what the signature means, such as "I have drawn this mask".
	// Both are required in state Signed.
	Name    string `json:"name,omitempty"`
	Meaning string `json:"meaning,omitempty"`
	// Text is the question in state Query; otherwise a comment.
	Text string `json:"text,omitempty"`
	// Reason says in state Rejected why the study is rejected, and in state Signed of a read with Adjudicates why the
	// adjudicator has decided so; it is required then. Change says why there is another revision; it is required if there
	// is an earlier one.
	Reason string `json:"reason,omitempty"`
	Change string `json:"change,omitempty"`
	// Drawing is the ID of the drawing, and From says where its initial mask came from; see package drawing.
	Drawing string          `json:"drawing"`
	From    json.RawMessage `json:"from"`
	// Adjudicates are the SHA-256 of the read.json between which an adjudicator has decided; empty for other readers.
	Adjudicates []string `json:"adjudicates,omitempty"`
	// Result is the SHA-256 of the result.json that the reader saw; empty without one.
	Result string `json:"result_sha256,omitempty"`
	// Scheme is the name of the scheme that gives the labels of the mask their meaning, and Labels its SHA-256; see Scheme.
	// Labels is empty in reads of earlier versions.
	Scheme string `json:"scheme"`
	Labels string `json:"labels_sha256,omitempty"`
	// Mask and Strokes are the SHA-256 of the files in the folder of the read.
	Mask    string `json:"mask_sha256"`
	Strokes string `json:"strokes_sha256"`
}

// Scheme is the scheme of a mask: its name, and the SHA-256 of its labels with their meanings; see segment.Scheme.Sum.
type Scheme = drawing.Scheme

// IsAdjudicated reports whether the read is that of an adjudicator.
func (r Read) IsAdjudicated() bool { return len(r.Adjudicates) > 0 }

// HasScheme reports whether the labels of the mask have the meanings of a scheme.
func (r Read) HasScheme(s Scheme) bool {
	return r.Scheme == s.Name && (r.Labels == s.SHA256 || r.Labels == "")
}

// ErrIncomplete marks a read that lacks what its state requires.
var ErrIncomplete = errors.New("the read is not complete")

// check returns an error if the read lacks what its state requires. isFirst says that there is no revision before it.
func (r Read) check(isFirst bool) error {
	required := map[string]string{}
	switch r.State {
	case Signed:
		required["name"], required["meaning"] = r.Name, r.Meaning
		if r.IsAdjudicated() {
			required["reason"] = r.Reason
		}
	case Query:
		required["text"] = r.Text
	case Rejected:
		required["reason"] = r.Reason
	default:
		return fmt.Errorf("%w: state %.20q", ErrIncomplete, r.State)
	}
	if !isFirst {
		required["change"] = r.Change
	}
	var missing []string
	for name, text := range required {
		if strings.TrimSpace(text) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%w: it has no %s", ErrIncomplete, strings.Join(missing, " and no "))
	}
	return nil
}

var (
	hashes  = regexp.MustCompile(`^[0-9a-f]{12}$`)
	readers = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)
	devices = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)
)

// CheckReader returns an error if a reader's code cannot be the name of a folder in every file system.
func CheckReader(code string) error {
	if !readers.MatchString(code) || devices.MatchString(code) {
		return hint.Errorf("use up to 40 letters, digits, hyphens and underscores, for instance R1", "reader %.80q: not a valid "+
			"code", code)
	}
	return nil
}

// check returns an error if the key is not one of hashes.
func (k Key) check() error {
	if !hashes.MatchString(k.Study) || !hashes.MatchString(k.Series) {
		return fmt.Errorf("study %.20q, series %.20q: not hashes of UIDs", k.Study, k.Series)
	}
	if k.Repeat < 0 || k.Repeat > mostRepeats {
		return fmt.Errorf("repeat %d, want 0 to %d", k.Repeat, mostRepeats)
	}
	return nil
}

// String returns the name of the key's folder.
func (k Key) String() string {
	if k.Repeat > 0 {
		return fmt.Sprintf("%s-%s-%d", k.Study, k.Series, k.Repeat)
	}
	return k.Study + "-" + k.Series
}

// keys matches the names of folders of keys.
var keys = regexp.MustCompile(`^[0-9a-f]{12}-[0-9a-f]{12}(-[1-9])?$`)

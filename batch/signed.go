package batch

import (
	"crypto/sha256"
	"fmt"

	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reads"
)

// unreadMark begins what readOf returns if readers do not let a study be mapped.
const unreadMark = "!"

// findSigned gives the intake the masks that readers have signed in the output folder, as far as the protocol uses them.
func (s Settings) findSigned(in *intake.Intake) error {
	use := s.Protocol.Reads.WithDefaults().Use
	if s.Out == "" || use == protocol.ReadsNone {
		return nil
	}
	masks, err := reads.FindMasks(s.Out)
	if err != nil {
		return err
	}
	rule := reads.Rule{Required: use != protocol.ReadsAny, Adjudicated: use == protocol.ReadsAdjudicated,
		Readers: s.Protocol.Reads.Readers}
	in.Signed = func(study, series string) (*reads.SignedMask, error) { return masks.Find(study, series, rule) }
	return nil
}

// readOf returns what readers have decided about a study, in short: the hash of the read whose mask is used, a hash of the
// reason why a required mask is missing, or an empty text.
func (r *session) readOf(one *sighting) string {
	if r.intake.Signed == nil || one.unlisted {
		return ""
	}
	m, err := r.intake.Signed(one.Hash, one.Series)
	switch {
	case err != nil:
		return fmt.Sprintf("%s%.12x", unreadMark, sha256.Sum256([]byte(err.Error())))
	case m == nil:
		return ""
	}
	return m.Sum
}

package intake

import (
	"errors"
	"fmt"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
)

// Unread returns the reason why readers do not let a study be mapped, as ChooseMask does, or nil.
func (s *Intake) Unread(study, series string) error {
	_, err := s.signedOf(study, series)
	return err
}

// signedMask returns the mask that readers have signed of the job's series; its path is empty if there is none and the
// study's own mask is used.
func (s *Intake) signedMask(j pipeline.Job) (pipeline.Mask, error) {
	return s.signedOf(j.Study.Hash, j.Train.Hash)
}

func (s *Intake) signedOf(study, series string) (pipeline.Mask, error) {
	if s.Signed == nil {
		return pipeline.Mask{}, nil
	}
	m, err := s.Signed(study, series)
	if err == nil && m != nil {
		err = checkScheme(m.Read, reads.Scheme{Name: s.Protocol.Scheme.Name, SHA256: s.Protocol.Scheme.Sum()})
	}
	if err != nil {
		// Not pipeline.Explained: an earlier result, with another mask, must not stay in the tables.
		return pipeline.Mask{}, pipeline.Because(report.ReasonRead, hint.Errorf(hintRead(err), "read: %w", err))
	}
	if m == nil {
		return pipeline.Mask{}, nil
	}
	read := report.SignedRead{Reader: m.Reader, Revision: m.Revision, Time: m.Time.UTC(), Adjudicated: len(m.Adjudicates) > 0,
		SHA256: m.Sum}
	return pipeline.Mask{Path: m.Path, Name: m.Name, Read: &read, SHA256: m.Mask, Format: pipeline.FormatNIfTI}, nil
}

// checkScheme returns an error if the labels of a read do not have the meanings of the scheme.
func checkScheme(r reads.Read, want reads.Scheme) error {
	switch {
	case r.HasScheme(want):
		return nil
	case r.Scheme != want.Name:
		return fmt.Errorf("reader %s has signed labels of the scheme %s, not of %s: %w", r.Reader, printable.Short(r.Scheme),
			printable.Short(want.Name), errOtherScheme)
	}
	return fmt.Errorf("reader %s has signed labels of another scheme with the name %s: %w", r.Reader,
		printable.Short(want.Name), errOtherScheme)
}

var errOtherScheme = errors.New("their meanings may differ")

// hintRead is the hint for a study whose read cannot be used.
func hintRead(err error) string {
	switch {
	case errors.As(err, new(*reads.RejectedError)):
		return "ask the reader; a later revision with a signed mask replaces the rejection"
	case errors.As(err, new(*reads.DisagreeError)), errors.As(err, new(*reads.StaleError)):
		return "let an adjudicator decide with t2map read"
	case errors.As(err, new(*reads.TooFewError)):
		return "let the other readers sign with t2map read; `readers` of `reads` in the protocol says how many are required"
	case errors.Is(err, errOtherScheme):
		return "use the scheme with which the reader has drawn, or draw the mask again with t2map read"
	case errors.Is(err, reads.ErrNotSigned):
		return "sign it with t2map read, or set `use` of `reads` in the protocol to any"
	}
	return "find the damaged files with t2map verify"
}

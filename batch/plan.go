package batch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
)

// settle decides what depends on the whole cohort, and reads chunks again in which a study has another identity than
// it seemed to have.
func (r *session) settle(ctx context.Context, c *cohort) error {
	var studies []intake.Notice
	for _, part := range c.chunks {
		for _, one := range part.studies {
			studies = append(studies, one.Notice)
		}
	}
	r.alike = intake.Alike(studies)
	r.remark(r.intake.Settle(studies)...)
	var stale []*dicomio.Chunk
	for _, part := range c.chunks {
		switch {
		case !slices.ContainsFunc(part.studies, r.isStale):
		case part.kept != nil:
			part.describe(r.chunkOf(*part.kept))
		default:
			stale = append(stale, part.Chunk)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	byDigest := map[string]*chunk{}
	for _, part := range c.chunks {
		byDigest[part.Digest] = part
	}
	for f, err := range c.search.Each(ctx, stale) {
		if err != nil {
			return fmt.Errorf("find: %w", err)
		}
		part := byDigest[f.Chunk.Digest]
		part.describe(r.chunkOf(f))
		part.recalled = false
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// isStale reports whether the line of a study must be made again because other studies, or the manifest, have changed
// its identity.
func (r *session) isStale(one *sighting) bool {
	switch {
	case one.unlisted:
		return r.intake.Lists(one.Place)
	case one.nameless:
		return r.Manifest != "" || r.Layout != "" || r.Protocol.Layout != ""
	case r.readOf(one) != one.read:
		return true
	case one.outside != nil && *one.outside != stampOf(one.outside.Path):
		return true
	}
	return !r.intake.Renew(one.Place, &one.Identity)
}

// plan returns the studies that the run can map, in the order of their folders. The others fail, except that a study
// that is not in the manifest is ignored.
func (r *session) plan(c *cohort) []*study {
	var studies []*study
	var strays []error
	for _, part := range c.chunks {
		strays = append(strays, part.strays...)
		for _, one := range part.studies {
			studies = append(studies, &study{Line: &one.Line, chunk: part, seen: one})
		}
	}
	slices.SortFunc(studies, func(a, b *study) int {
		return cmp.Or(strings.Compare(a.Folder, b.Folder), strings.Compare(a.Hash, b.Hash))
	})
	studies = slices.DeleteFunc(studies, func(st *study) bool { return !r.admit(st) })
	studies = r.carryMasks(r.sound(studies))
	r.remark(r.intake.Remarks()...)
	if len(strays) > 0 {
		r.fail(&intake.Line{}, fmt.Errorf("%s%w", intake.SeveralFiles(strays), strays[0]))
	}
	for _, part := range c.chunks {
		r.out.Damaged = append(r.out.Damaged, part.damaged...)
	}
	missing, remarks := r.intake.Missing(r.Roots)
	r.remark(remarks...)
	for _, m := range missing {
		r.fail(&intake.Line{Identity: m.Identity}, m.Err)
	}
	return studies
}

// admit reports whether a study can be mapped. Otherwise it fails or is ignored.
func (r *session) admit(st *study) bool {
	one := st.seen
	if one.unlisted {
		return false
	}
	for _, p := range one.damaged {
		p.Alike = r.alike[st.Name()]
		r.out.Damaged = append(r.out.Damaged, p)
	}
	err := one.err
	if err == nil && st.chunk.recalled {
		if err = r.intake.Renamed(st.Line); err == nil && one.unread {
			err = r.intake.Unread(st.Hash, st.Series)
		}
	}
	if err != nil {
		r.fail(st.Line, err)
	}
	return err == nil
}

// count adds the files of a chunk to the outcome.
func (r *session) count(c *chunk) {
	r.out.Files += c.files
	r.out.Passed = r.out.Passed.Plus(c.passed)
	r.notes.add(c.notes)
}

// sound returns the studies whose identities are consistent with each other and with the earlier results. The others
// fail, and the tables keep their earlier results.
func (r *session) sound(studies []*study) (sound []*study) {
	lines := make([]*intake.Line, len(studies))
	for n, st := range studies {
		lines[n] = st.Line
	}
	verdicts, remarks := intake.Compare(lines, r.ledger.identities())
	for n, v := range verdicts {
		for _, text := range v.Warnings {
			studies[n].warn(text)
		}
		if v.Err != nil {
			r.fail(studies[n].Line, v.Err)
			continue
		}
		sound = append(sound, studies[n])
	}
	r.remark(remarks...)
	return sound
}

// carryMasks assigns to each study without a mask the study of the visit from which its mask is carried. A study for
// which there is none fails.
func (r *session) carryMasks(studies []*study) (kept []*study) {
	byLine := map[*intake.Line]*study{}
	var lines []*intake.Line
	for _, st := range studies {
		byLine[st.Line], lines = st, append(lines, st.Line)
	}
	sources := intake.NewMaskSources(lines, r.Protocol.Masks.Visit)
	for _, st := range studies {
		if st.Carried {
			source, err := sources.Find(st.Line)
			if err != nil {
				r.fail(st.Line, pipeline.Explained(err))
				continue
			}
			st.source = byLine[source]
		}
		kept = append(kept, st)
	}
	return kept
}

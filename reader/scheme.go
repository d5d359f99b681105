package reader

import (
	"net/http"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/volume"
)

// scheme is the scheme of the labels that are drawn. It does not depend on the division of the knee.
func (s *Server) scheme() reads.Scheme {
	return reads.Scheme{Name: s.Protocol.Scheme.Name, SHA256: s.Protocol.Scheme.Sum()}
}

// isOn reports whether a mask is on the grid of the study.
func isOn(v *view, mask volume.Geometry) bool {
	g := v.Series.Geometry
	return g.Size == mask.Size && g.Distance(mask) <= g.Tolerance()
}

// checkDrawing returns an error if a drawing was begun with another scheme, or on another grid.
func (s *Server) checkDrawing(c aCase, j *reads.Drawing) error {
	v, err := s.opened.get(c.Key)
	if err != nil {
		return err
	}
	var grid volume.Geometry
	if err := j.View(func(one *drawing.Drawing) { grid = one.Mask().Geometry }); err != nil {
		return err
	}
	const advice = "finish it with the settings with which it was begun"
	switch {
	case j.Scheme() != s.scheme():
		return failure(http.StatusConflict, "the drawing of this study was begun with other labels, of the scheme %s: %s",
			printable.Short(j.Scheme().Name), advice)
	case !isOn(v, grid):
		return failure(http.StatusConflict, "the drawing of this study was begun on other voxels than those of the series: %s",
			advice)
	}
	return nil
}

// signedMask returns the mask of a read. It is an error if the read has another scheme or another grid.
func (s *Server) signedMask(v *view, r reads.Read) (volume.Labels, error) {
	mask, err := s.Store.Mask(r)
	switch {
	case err != nil:
		return mask, err
	case !r.HasScheme(s.scheme()):
		return mask, failure(http.StatusConflict, "the mask was signed with other labels, of the scheme %s",
			printable.Short(r.Scheme))
	case !isOn(v, mask.Geometry):
		return mask, failure(http.StatusConflict, "the mask was signed on other voxels than those of the series")
	}
	return mask, nil
}

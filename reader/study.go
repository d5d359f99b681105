package reader

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/volume"
)

// study opens a study and describes it.
func (s *Server) study(r *http.Request) (answer, error) {
	c, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	out := Study{ID: c.id, Name: s.name(c), Grid: gridOf(v.Series.Geometry), TE: v.Series.TE, Method: string(v.Fit.Method),
		Window: window(v.Series.Echo[min(v.Fit.SkipEchoes, len(v.Series.Echo)-1)]), Maps: mapsOf(v)}
	for e := range v.Series.TE {
		out.Fitted = append(out.Fitted, e >= v.Fit.SkipEchoes)
	}
	out.Others = s.othersOf(v)
	if out.Starts, err = s.starts(c, v); err != nil {
		return answer{}, err
	}
	if out.Reads, err = s.done(c); err != nil {
		return answer{}, err
	}
	d, err := s.drafts.resume(s, c)
	switch {
	case err == nil:
		defer d.mu.Unlock()
		draft, err := s.describe(v, d)
		if err != nil {
			return answer{}, err
		}
		out.Draft = &draft
	case !errors.Is(err, fs.ErrNotExist):
		return answer{}, err
	}
	out.Warning = s.drafts.warning(c)
	return answer{value: out}, nil
}

// look returns the case of a request and its study.
func (s *Server) look(r *http.Request) (aCase, *view, error) {
	c, err := s.find(r)
	if err != nil {
		return c, nil, err
	}
	v, err := s.opened.get(c.Key)
	return c, v, err
}

// window returns the range of magnitudes that is shown at first: from 0 to the magnitude that one voxel in 200 exceeds.
func window(data []float32) [2]float64 {
	const most = 20000
	step := max(1, len(data)/most)
	var sample []float32
	for i := 0; i < len(data); i += step {
		sample = append(sample, data[i])
	}
	slices.Sort(sample)
	high := float64(sample[len(sample)*199/200])
	if high <= 0 {
		high = max(1, float64(sample[len(sample)-1]))
	}
	return [2]float64{0, high}
}

// The names of maps.
const (
	mapT2       = "t2"
	mapS0       = "s0"
	mapR2       = "r2"
	mapSE       = "se"
	mapResidual = "residual"
	mapStatus   = "status"
)

func mapsOf(v *view) []MapInfo {
	s0 := window(v.Maps.S0)[1]
	if math.IsNaN(s0) {
		s0 = 1
	}
	return []MapInfo{
		{mapT2, "T2", "ms", [2]float64{0, figure.ScaleMaxMS}},
		{mapS0, "S0", "", [2]float64{0, s0}},
		{mapR2, "R²", "", [2]float64{0.9, 1}},
		{mapSE, "Standard error of T2", "ms", [2]float64{0, 10}},
		{mapResidual, "Residual", "", [2]float64{0, s0 / 10}},
		{mapStatus, "Status", "", [2]float64{0, float64(len(volume.Exclusions))}},
	}
}

// mapNamed returns the voxels of a map.
func (v *view) mapNamed(name string) ([]float32, bool) {
	switch name {
	case mapT2:
		return v.Maps.T2, true
	case mapS0:
		return v.Maps.S0, true
	case mapR2:
		return v.Maps.R2, true
	case mapSE:
		return v.Maps.SE, true
	case mapResidual:
		return v.residual(), true
	}
	return nil, false
}

// mapBytes answers with the voxels of a map.
func (s *Server) mapBytes(r *http.Request) (answer, error) {
	_, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	name := r.PathValue("name")
	if name == mapStatus {
		return answer{bytes: func(w io.Writer) error {
			b := make([]byte, len(v.Maps.Status))
			for i, st := range v.Maps.Status {
				b[i] = byte(st)
			}
			_, err := w.Write(b)
			return err
		}}, nil
	}
	voxels, ok := v.mapNamed(name)
	if !ok {
		return answer{}, failure(http.StatusNotFound, "there is no map of this name")
	}
	return answer{bytes: func(w io.Writer) error { return writeFloats(w, voxels) }}, nil
}

// echo answers with the voxels of an echo. The first one is number 0.
func (s *Server) echo(r *http.Request) (answer, error) {
	_, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(v.Series.Echo) {
		return answer{}, failure(http.StatusNotFound, "there is no echo of this number")
	}
	return answer{bytes: func(w io.Writer) error { return writeFloats(w, v.Series.Echo[n]) }}, nil
}

// writeFloats writes voxels as little-endian float32.
func writeFloats(w io.Writer, voxels []float32) error {
	const block = 1 << 14
	buffer := make([]byte, 0, 4*block)
	for len(voxels) > 0 {
		n := min(block, len(voxels))
		buffer = buffer[:0]
		for _, x := range voxels[:n] {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(x))
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		voxels = voxels[n:]
	}
	return nil
}

// othersOf lists other series. If reads are blinded, neither other visits nor the scanner's descriptions are shown.
func (s *Server) othersOf(v *view) []OtherInfo {
	out := []OtherInfo{}
	for n, o := range v.Others {
		info := OtherInfo{ID: strconv.Itoa(n)}
		switch {
		case s.Blinding != nil && o.Visit != "":
			continue
		case s.Blinding != nil:
			info.Name = fmt.Sprintf("another series (%d)", o.Number)
		case o.Visit != "":
			info.Name = "visit " + printable.Short(o.Visit)
		default:
			info.Name = fmt.Sprintf("series %d: %s", o.Number, printable.Short(o.Description))
		}
		out = append(out, info)
	}
	return out
}

// readOther reads another series of a request.
func (s *Server) readOther(r *http.Request) (info OtherInfo, m volume.Map, err error) {
	_, v, err := s.look(r)
	if err != nil {
		return info, m, err
	}
	for _, info = range s.othersOf(v) {
		if info.ID == r.PathValue("other") {
			n, _ := strconv.Atoi(info.ID) // othersOf has made it
			m, err = v.other(r.Context(), s.Worklist, n)
			return info, m, err
		}
	}
	return info, m, failure(http.StatusNotFound, "there is no such series")
}

// other reads another series once.
func (v *view) other(ctx context.Context, w *batch.Worklist, n int) (volume.Map, error) {
	v.othersMu.Lock()
	defer v.othersMu.Unlock()
	if m, ok := v.others[n]; ok {
		return m, nil
	}
	m, err := w.ReadOther(ctx, v.Others[n].Key)
	if err == nil {
		v.others = map[int]volume.Map{n: m} // the last one
	}
	return m, err
}

func (s *Server) other(r *http.Request) (answer, error) {
	info, m, err := s.readOther(r)
	if err != nil {
		return answer{}, err
	}
	return answer{value: Other{info, gridOf(m.Geometry), window(m.Data)}}, nil
}

func (s *Server) otherBytes(r *http.Request) (answer, error) {
	_, m, err := s.readOther(r)
	if err != nil {
		return answer{}, err
	}
	return answer{bytes: func(w io.Writer) error { return writeFloats(w, m.Data) }}, nil
}

// states are the texts of the status of voxels, by their numbers.
func states() []string {
	texts := make([]string, len(volume.Exclusions)+2)
	for n := range texts {
		texts[n] = stateText(volume.Status(n))
	}
	return texts
}

// stateText returns the text of a status for readers.
func stateText(s volume.Status) string {
	return strings.Replace(strings.ReplaceAll(s.String(), "_", " "), "t2", "T2", 1)
}

// ramp is the colour map of T2.
func ramp() [][3]uint8 {
	colours := make([][3]uint8, 256)
	for n := range colours {
		c := figure.ScaleColour((float64(n) + 0.5) / float64(len(colours)))
		colours[n] = [3]uint8{c.R, c.G, c.B}
	}
	return colours
}

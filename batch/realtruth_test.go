package batch

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// unlikeT2 are T2 in ms of each region, of which plates of one compartment differ by 8 ms.
var unlikeT2 = map[anatomy.Region]float64{
	anatomy.MedialTibialAnterior: 33, anatomy.MedialTibialCentral: 35, anatomy.MedialTibialPosterior: 37,
	anatomy.LateralTibialAnterior: 30, anatomy.LateralTibialCentral: 32, anatomy.LateralTibialPosterior: 34,
	anatomy.MedialFemoralCentral: 38, anatomy.MedialFemoralPosterior: 42, anatomy.LateralFemoralCentral: 36,
	anatomy.LateralFemoralPosterior: 40,
	anatomy.Trochlear:               44, anatomy.PatellarMedial: 37, anatomy.PatellarLateral: 35,
}

// alikeT2 are T2 in ms of each region that differ within a plate, and between compartments.
var alikeT2 = map[anatomy.Region]float64{
	anatomy.MedialTibialAnterior: 38, anatomy.MedialTibialCentral: 40, anatomy.MedialTibialPosterior: 42,
	anatomy.LateralTibialAnterior: 33, anatomy.LateralTibialCentral: 35, anatomy.LateralTibialPosterior: 37,
	anatomy.MedialFemoralCentral: 39, anatomy.MedialFemoralPosterior: 41, anatomy.LateralFemoralCentral: 34,
	anatomy.LateralFemoralPosterior: 36,
	anatomy.Trochlear:               45, anatomy.PatellarMedial: 46, anatomy.PatellarLateral: 44,
}

// rowOf returns the row of a compartment, or of a region of it, all layers together.
func rowOf(t testing.TB, r report.Result, name string) segment.Summary {
	t.Helper()
	for _, rows := range [][]segment.Summary{r.Compartments, r.Regions} {
		for _, c := range rows {
			if c.Compartment == name && (c.Region == "" || c.Region == segment.All) && (c.Layer == "" ||
				c.Layer == segment.All) || c.Region == name && c.Layer == segment.All {
				return c
			}
		}
	}
	t.Fatalf("no row %s", name)
	return segment.Summary{}
}

// meanOfUsed returns the mean T2 of the cartilage in the voxels that a result took for the
// compartment, each weighing as much as another.
func (m mixture) meanOfUsed(t testing.TB, r report.Result, p colours, compartment string) float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(r.Dir, "compartments.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	labels, err := nifti.ReadLabels(f)
	if err == nil {
		labels, err = segment.OnGrid(labels, m.Geometry)
	}
	if err != nil {
		t.Fatal(err)
	}
	number := uint16(0)
	for n, c := range r.Compartments {
		if c.Compartment == compartment {
			number = uint16(n + 1)
		}
	}
	sum, n := 0.0, 0
	for v, l := range labels.Data {
		if l != number {
			continue
		}
		t2, part := 0.0, 0.0
		for _, share := range m.shares[m.start[v]:m.start[v+1]] {
			if share.paint < uint8(anatomy.RegionMedialMeniscus) {
				t2, part = t2+float64(share.part)*p[share.paint][0].t2, part+float64(share.part)
			}
		}
		sum, n = sum+t2/part, n+1
	}
	return sum / float64(n)
}

// A multi-echo series of a real knee, with slices of 3 mm that are oblique to the mask's, gives
// each compartment's mean within 1 % of the truth where the mask covers 0.9 of a voxel and more.
// At 0.5 partial volume moves it, by fluid and marrow in the same voxels.
//
// A compartment holds fewer voxels at 0.9, and other ones: where its plates differ, so does the
// mean of what is left. The truth about those voxels is met all the same, and the mean of the
// plates is the number that does not depend on which of them is thicker.
func TestRealKneeAgainstTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("divides large masks several times")
	}
	k := theRealKnee(t)
	for _, c := range []struct {
		name        string
		t2          map[anatomy.Region]float64
		film        float64
		fraction    float64
		used, whole float64 // limits in % for the voxels that are used and for all cartilage; 0 for none
	}{
		{"plates alike", alikeT2, healthyFilm, 0.9, 1, 1},
		{"plates alike, default", alikeT2, healthyFilm, 0, 0, 0},
		{"plates that differ", unlikeT2, healthyFilm, 0.9, 1, 0},
		{"effusion", alikeT2, effusionFilm, 0.9, 2, 0},
	} {
		p := palette(c.t2, c.film)
		s, _ := paintedStudy(t, p, t2Series{})
		s.Protocol.Maps, s.Protocol.Division.MinFraction = protocol.MapsMask, c.fraction
		r := oneResult(t, s)
		m, err := realMixture()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{segment.Medial, segment.Lateral, segment.Patellofemoral} {
			row := rowOf(t, r, name)
			deviation := func(truth float64) float64 { return 100 * (float64(row.MeanT2)/truth - 1) }
			whole, used := k.truth(p, name), m.meanOfUsed(t, r, p, name)
			t.Logf("%s: %s: %d voxels covered to %.3f, T2 %.2f ms; of their cartilage %.2f (%+.2f %%), of all %.2f "+
				"(%+.2f %%); mean of plates %.2f",
				c.name, name, row.Voxels, row.MeanFraction, row.MeanT2, used, deviation(used),
				whole, deviation(whole), row.PlateMeanT2)
			if c.used > 0 && math.Abs(deviation(used)) > c.used || c.whole > 0 && math.Abs(deviation(whole)) > c.whole ||
				row.Voxels < 1000 {
				t.Errorf("%s: %s: %d voxels, %+.2f %% off the truth about them, %+.2f %% off that of all cartilage",
					c.name, name, row.Voxels, deviation(used), deviation(whole))
			}
			if c.fraction == 0 && !(deviation(whole) > 1 && deviation(whole) < 15) {
				t.Errorf("%s: partial volume moves %s by %+.2f %%: the series is not what the test needs", c.name, name,
					deviation(whole))
			}
		}
	}
}

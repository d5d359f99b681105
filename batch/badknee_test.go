package batch

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Labels of the scheme skm-tea.
const (
	skmPatella = 1 + iota
	skmFemur
	skmMedialTibia
	skmLateralTibia
	skmMedialMeniscus
	skmLateralMeniscus
)

// withLabels returns the mask with each label changed.
func withLabels(l volume.Labels, change func(v int, label uint16) uint16) volume.Labels {
	data := make([]uint16, len(l.Data))
	for v, label := range l.Data {
		data[v] = change(v, label)
	}
	l.Data = data
	return l
}

// shiftedBy returns the mask moved in space.
func shiftedBy(l volume.Labels, mm [3]float64) volume.Labels {
	for r := range 3 {
		l.Affine[r][3] += mm[r]
	}
	return l
}

// reflectedAbout returns the mask as a mirror at x shows it.
func reflectedAbout(l volume.Labels, x float64) volume.Labels {
	l.Geometry = mirrored(l.Geometry)
	l.Affine[0][3] += 2 * x
	return l
}

// padded returns the mask in a grid of twice its size along each axis, about the same middle.
func padded(l volume.Labels) volume.Labels {
	out := volume.Labels{Geometry: l.Geometry}
	var first [3]int
	for c := range 3 {
		out.Size[c], first[c] = 2*l.Size[c], l.Size[c]/2
	}
	position := l.Position(-float64(first[0]), -float64(first[1]), -float64(first[2]))
	for r := range 3 {
		out.Affine[r][3] = position[r]
	}
	out.Data = make([]uint16, out.Voxels())
	for v, label := range l.Data {
		i, j, k := v%l.Size[0]+first[0], v/l.Size[0]%l.Size[1]+first[1], v/l.SliceVoxels()+first[2]
		out.Data[i+out.Size[0]*(j+out.Size[1]*k)] = label
	}
	return out
}

// inNIfTI returns a mask as plain NIfTI.
func inNIfTI(t testing.TB, l volume.Labels) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := nifti.WriteLabels(&b, l.Geometry, l.Data, ""); err != nil {
		t.Fatal(err)
	}
	return gunzipped(t, b.Bytes())
}

// tissueStudies writes a T2 study without a mask for each name and returns the mask of tissues
// that is of all of them.
func tissueStudies(t testing.TB, dir string, names []string) volume.Labels {
	t.Helper()
	var labels volume.Labels
	for n, name := range names {
		s, err := phantom.New(t.Context(), phantom.Options{Subject: name, Matrix: 64, Slices: 18, Echoes: 4,
			DESSMatrix: 110, DESSSlices: 40})
		if err == nil {
			err = s.Write(t.Context(), filepath.Join(dir, "studies", name))
		}
		if err != nil {
			t.Fatal(err)
		}
		remove(t, filepath.Join(dir, "studies", name, "labels.nii.gz"))
		if n > 0 {
			continue
		}
		d, err := s.DESS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		labels = d.Tissues
	}
	return labels
}

// badKnee is a mask that cannot be used, or can be with something to say about it.
type badKnee struct {
	name string
	// make returns the files of the mask from a sound one.
	make func(l volume.Labels) map[string][]byte
	// reasons are parts of why it fails, and hint one of what to do. Where there are none, the
	// study is mapped, and check looks at its result.
	reasons []string
	hint    string
	check   func(t *testing.T, r, sound report.Result)
}

func badKnees(t testing.TB) []badKnee {
	onLabels := func(change func(volume.Labels) volume.Labels) func(volume.Labels) map[string][]byte {
		return func(l volume.Labels) map[string][]byte {
			return map[string][]byte{"labels.nii": inNIfTI(t, change(l))}
		}
	}
	labels := func(change func(l volume.Labels, v int, label uint16) uint16) func(volume.Labels) map[string][]byte {
		return onLabels(func(l volume.Labels) volume.Labels {
			return withLabels(l, func(v int, label uint16) uint16 { return change(l, v, label) })
		})
	}
	crumbs := func(l volume.Labels, v int, label uint16) uint16 {
		if label == 0 && v%97 == 0 && l.Size[0]*6 < v%l.SliceVoxels() && v%l.SliceVoxels() < l.Size[0]*9 {
			return skmLateralTibia
		}
		return label
	}
	same := func(t *testing.T, r, sound report.Result) {
		for n, c := range r.Compartments {
			if other := sound.Compartments[n]; c.Voxels != other.Voxels || c.MeanFraction != other.MeanFraction {
				t.Errorf("%s: %d voxels covered to %v, sound %d to %v", c.Compartment, c.Voxels, c.MeanFraction,
					other.Voxels, other.MeanFraction)
			}
		}
	}
	return []badKnee{
		{"one-slice", labels(func(l volume.Labels, v int, label uint16) uint16 {
			if v/l.SliceVoxels() != l.Size[2]/4 {
				return 0
			}
			return label
		}), []string{"lie on one slice"}, "check the mask and the scheme", nil},
		{"one-voxel", onLabels(func(l volume.Labels) volume.Labels {
			first := slices.Index(l.Data, skmFemur)
			return withLabels(l, func(v int, label uint16) uint16 {
				if v != first {
					return 0
				}
				return label
			})
		}), []string{"femoral-cartilage: cannot be divided: it has only 1 voxels"}, "check the mask and the scheme",
			nil},
		{"crumbs-alone", labels(func(l volume.Labels, v int, label uint16) uint16 {
			if label == 0 || v%137 != 0 {
				return 0
			}
			return label
		}), []string{"cannot be divided"}, "check the mask and the scheme", nil},
		{"crumbs", labels(crumbs), nil, "", func(t *testing.T, r, sound report.Result) {
			// 141 single voxels: 135 lie apart, and 6 beside a plateau.
			notes := strings.Join(r.Notes, "\n")
			if !strings.Contains(notes, "in the rows, but were ignored when borders were placed: medial-tibial (6 of "+
				"its voxels)") || !strings.Contains(notes, "lateral-tibial-cartilage 132 voxels in 132 more pieces") ||
				len(r.Division.Omitted) != 1 || r.Division.Omitted[0].Pieces != 135 ||
				r.Division.Omitted[0].Voxels != 135 || !r.Division.Omitted[0].Small ||
				r.Compartments[0].Voxels != sound.Compartments[0].Voxels {
				t.Errorf("notes %q, medial %d voxels, sound %d", r.Notes, r.Compartments[0].Voxels,
					sound.Compartments[0].Voxels)
			}
		}},
		{"two-patellae", labels(func(l volume.Labels, v int, label uint16) uint16 {
			const down = 42 // rows, of 1.2 mm
			if high := v - down*l.Size[0]; label == 0 && high >= 0 && high/l.SliceVoxels() == v/l.SliceVoxels() &&
				l.Data[high] == skmPatella {
				return skmPatella
			}
			return label
		}), []string{"patellar-cartilage: a second piece of ", " mm from the first: the mask shows two patellae"},
			"the mask must mark one knee only", nil},
		{"no-patella", labels(func(_ volume.Labels, _ int, label uint16) uint16 {
			if label == skmPatella {
				return 0
			}
			return label
		}), nil, "", func(t *testing.T, r, _ report.Result) {
			if row := rowOf(t, r, segment.Patellofemoral); !strings.HasPrefix(row.Note, "the trochlea alone: the mask "+
				"has no patella") || row.Voxels != rowOf(t, r, "trochlear").Voxels || row.Voxels == 0 {
				t.Errorf("%+v", row)
			}
		}},
		{"empty", labels(func(volume.Labels, int, uint16) uint16 { return 0 }), nil, "", func(t *testing.T, r,
			_ report.Result) {
			if len(r.Compartments) < 3 || r.Compartments[0].Voxels != 0 || !strings.Contains(strings.Join(r.Warnings,
				"\n"), "no voxel of the mask belongs to a compartment") {
				t.Errorf("%+v, warnings %q", r.Compartments, r.Warnings)
			}
		}},
		{"twice-the-field", onLabels(padded), nil, "", same},
		{"far", onLabels(func(l volume.Labels) volume.Labels { return shiftedBy(l, [3]float64{0, 0, 200}) }),
			[]string{"mask lies outside the series: its nearest voxel is ",
				" mm from the field of view"}, "lost its position", nil},
		{"half-outside", onLabels(func(l volume.Labels) volume.Labels { return shiftedBy(l, [3]float64{0, 0, 65}) }),
			[]string{"lies in the field of view of the series (50 % needed): femoral-cartilage ", " %, the rest up to ",
				" mm outside"}, "lost its position", nil},
		{"mirrored", onLabels(func(l volume.Labels) volume.Labels {
			return reflectedAbout(l, l.Position(float64(l.Size[0]-1)/2, float64(l.Size[1]-1)/2,
				float64(l.Size[2]-1)/2)[0])
		}), []string{"the sources contradict each other about the side of the knee: Laterality (0020,0060) says right",
			"medial-tibial-cartilage in the mask says left", "medial-meniscus in the mask says left"},
			"which knee it is", nil},
		{"other-knee", onLabels(func(l volume.Labels) volume.Labels { return reflectedAbout(l, 0) }),
			[]string{"the sources contradict each other about the side of the knee: Laterality (0020,0060) says right",
				"medial-tibial-cartilage in the mask says left"}, "use the mask of this knee", nil},
		{"two-forms", func(l volume.Labels) map[string][]byte {
			b := inNIfTI(t, l)
			const qoffsetY = 272 // nifti1.h
			binary.LittleEndian.PutUint32(b[qoffsetY:],
				math.Float32bits(math.Float32frombits(binary.LittleEndian.Uint32(b[qoffsetY:]))+3))
			return map[string][]byte{"labels.nii": b}
		}, []string{"place the voxels up to 3.00 mm apart"}, "set the code of the other to 0", nil},
		{"truncated", func(l volume.Labels) map[string][]byte {
			return map[string][]byte{"mask.nrrd": []byte(nrrdText(l.Geometry, "encoding: raw\n\n") +
				string(narrow(l.Data))[:12345])}
		}, []string{"mask.nrrd: data: 12345 of 484000 bytes"}, "copy the mask again", nil},
		{"no-data-file", func(l volume.Labels) map[string][]byte {
			return map[string][]byte{"seg.mhd": []byte(metaText(l.Geometry, "", "seg.raw"))}
		}, []string{"the data file no-data-file/seg.raw does not exist"}, "into one folder", nil},
		{"data-file-outside", func(l volume.Labels) map[string][]byte {
			return map[string][]byte{"seg.mhd": []byte(metaText(l.Geometry, "", "../sound/mask.raw"))}
		}, []string{"the data file ../sound/mask.raw lies outside of the header's folder"}, "without a folder", nil},
		{"unknown-label", labels(func(_ volume.Labels, v int, label uint16) uint16 {
			if v == 0 {
				return 99
			}
			return label
		}), []string{"scheme skm-tea does not know label 99 (1 voxel)"}, "--scheme", nil},
	}
}

// Every mask that cannot be used fails its study with a reason and a hint, and harms no other;
// one with an oddity is used, and the result says it. inspect says the same.
func TestBadMasksOfTissues(t *testing.T) {
	if testing.Short() {
		t.Skip("divides large masks several times")
	}
	dir := t.TempDir()
	bad := badKnees(t)
	names := []string{"sound"}
	for _, c := range bad {
		names = append(names, c.name)
	}
	labels := tissueStudies(t, dir, names)
	writeText(t, filepath.Join(dir, "studies", "sound", "mask.mhd"), metaText(labels.Geometry, "", "mask.raw"))
	writeText(t, filepath.Join(dir, "studies", "sound", "mask.raw"), string(narrow(labels.Data)))
	for _, c := range bad {
		for name, content := range c.make(labels) {
			if err := os.WriteFile(filepath.Join(dir, "studies", c.name, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := skmTea(t, dir)
	out := run(t, s)
	in, err := Inspect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	resultOf, failureOf := map[string]report.Result{}, map[string]report.Failure{}
	for _, r := range out.Results {
		resultOf[r.Subject] = r
	}
	for _, f := range out.Failures {
		failureOf[f.Subject] = f
	}
	sound, ok := resultOf["sound"]
	if !ok || len(sound.Warnings) > 0 || sound.Side != "right" {
		t.Errorf("the sound mask: side %s, warnings %q, notes %q, %+v", sound.Side, sound.Warnings, sound.Notes,
			failureOf["sound"])
	}
	for _, c := range bad {
		st := in.Studies[slices.IndexFunc(in.Studies, func(st InspectedStudy) bool { return st.Subject == c.name })]
		f, failed := failureOf[c.name]
		if r, mapped := resultOf[c.name]; c.check != nil && mapped {
			c.check(t, r, sound)
			if !slices.Equal(r.Warnings, st.Warnings) {
				t.Errorf("%s: inspect warns of %q, run of %q", c.name, st.Warnings, r.Warnings)
			}
			continue
		}
		if c.check != nil || !failed {
			t.Errorf("%s: failed %v: %s", c.name, failed, f.Reason)
			continue
		}
		for _, part := range c.reasons {
			if !strings.Contains(f.Reason, part) {
				t.Errorf("%s: %s, want …%s…", c.name, f.Reason, part)
			}
		}
		if !strings.Contains(f.Hint, c.hint) {
			t.Errorf("%s: hint %s, want …%s…", c.name, f.Hint, c.hint)
		}
		if len(st.Problems) != 1 || st.Problems[0].Reason != f.Reason || st.Problems[0].Hint != f.Hint {
			t.Errorf("%s: inspect says %+v, run %s", c.name, st.Problems, f.Reason)
		}
	}
}

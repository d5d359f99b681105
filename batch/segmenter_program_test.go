package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/volume"
)

// asSegmenter is the first argument by which this test binary becomes a segmenter: the second
// says how it goes about it, the others are {input}, {output} and what it needs.
const asSegmenter = "segmenter-for-tests"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == asSegmenter {
		os.Exit(segmentForTests(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// segmenterFor returns a protocol's program that goes about it in that way.
func segmenterFor(t testing.TB, mode string, extra ...string) protocol.Segmenter {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.Segmenter{Command: append([]string{exe, asSegmenter, mode, "{input}", "{output}"}, extra...)}
}

// segmentForTests makes a label map, or does not, and returns the exit status.
func segmentForTests(mode string, args []string) int {
	fail := func(err error) int { fmt.Fprintln(os.Stderr, "error:", err); return 1 }
	switch mode {
	case "version":
		fmt.Println(args[0])
		return 0
	case "hang":
		if len(args) > 2 {
			_ = os.WriteFile(args[2], []byte(strconv.Itoa(os.Getpid())), 0o666)
		}
		time.Sleep(time.Hour)
	case "fail":
		fmt.Fprintln(os.Stderr, "Traceback\nRuntimeError: CUDA out of memory in", args[0])
		return 3
	case "kill":
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		time.Sleep(time.Minute)
	case "nothing":
		return 0
	case "count": // notes that it ran
		f, err := os.OpenFile(args[2], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
		if err == nil {
			_, err = f.WriteString("ran\n")
		}
		if err = errors.Join(err, f.Close()); err != nil || len(args) > 3 {
			return fail(err)
		}
	case "tell": // all that it could learn
		return tell(args)
	}
	f, err := os.Open(args[0])
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	g, frames, err := nifti.ReadFrames(f)
	if err != nil {
		return fail(err)
	}
	files, err := labelMaps(mode, g, frames[0])
	if err != nil {
		return fail(err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(filepath.Dir(args[1]), name), data, 0o666); err != nil {
			return fail(err)
		}
	}
	if mode == "huge" || mode == "vast" { // files without content, which take no room
		size := int64(64 << 20)
		if mode == "vast" {
			size = 8<<30 + 1
		}
		if err := os.Truncate(args[1], size); err != nil {
			return fail(err)
		}
	}
	return 0
}

// marked is the label that the test's segmenter gives to voxel v.
func marked(v int, magnitude float32) uint16 {
	if magnitude <= 150 {
		return 0
	}
	return uint16(1 + v%3)
}

// labelMaps returns the files that the segmenter writes, by their names.
func labelMaps(mode string, g volume.Geometry, image []float32) (map[string][]byte, error) {
	labels := make([]uint16, len(image))
	for v, x := range image {
		labels[v] = marked(v, x)
	}
	switch mode {
	case "unknown":
		labels[7], labels[8] = 9, 9
	case "empty":
		clear(labels)
	case "moved":
		g.Affine[0][3] += 5
	case "other":
		g.Size[0], labels = g.Size[0]/2, labels[:len(labels)/2]
	case "flipped":
		g, labels = flipped(g, labels)
	}
	var b bytes.Buffer
	err := nifti.WriteLabels(&b, g, labels, "")
	if mode == "fractions" {
		b.Reset()
		values := make([]float32, len(labels))
		for v, l := range labels {
			values[v] = float32(l) / 2
		}
		err = nifti.WriteMap(&b, volume.Map{Geometry: g, Data: values}, "")
	}
	data := b.Bytes()
	switch mode {
	case "garbage":
		data = []byte(strings.Repeat("no label map ", 100))
	case "truncated":
		data = data[:len(data)/2]
	case "two":
		return map[string][]byte{"knee.nii.gz": data, "other.nii.gz": data}, err
	case "plain":
		z, err := gzip.NewReader(&b)
		if err != nil {
			return nil, err
		}
		var plain bytes.Buffer
		_, err = plain.ReadFrom(z)
		return map[string][]byte{"prediction.nii": plain.Bytes(), "plans.json": []byte("{}")}, err
	case "placeless":
		z, err := gzip.NewReader(&b)
		if err != nil {
			return nil, err
		}
		var plain bytes.Buffer
		_, err = plain.ReadFrom(z)
		data = plain.Bytes()
		clear(data[252:256]) // qform_code, sform_code
		return map[string][]byte{"knee.nii": data}, err
	}
	return map[string][]byte{"knee.nii.gz": data}, err
}

// flipped returns the labels in the order of another program's axes, at the same places.
func flipped(g volume.Geometry, labels []uint16) (volume.Geometry, []uint16) {
	out := volume.Geometry{Size: [3]int{g.Size[2], g.Size[0], g.Size[1]}}
	for r := range 3 {
		out.Affine[r] = [4]float64{g.Affine[r][2], -g.Affine[r][0], g.Affine[r][1], g.Affine[r][3] +
			float64(g.Size[0]-1)*g.Affine[r][0]}
	}
	moved := make([]uint16, len(labels))
	n := 0
	for j := range g.Size[1] {
		for i := range slices.Backward(make([]struct{}, g.Size[0])) {
			for k := range g.Size[2] {
				moved[n] = labels[i+g.Size[0]*(j+g.Size[1]*k)]
				n++
			}
		}
	}
	return out, moved
}

// tell writes all that a program is given into a file: arguments, folder, names and the bytes of
// the image, and what it has in its environment beside what this test has.
func tell(args []string) int {
	var b bytes.Buffer
	dir, _ := os.Getwd()
	fmt.Fprintln(&b, args[:2], dir)
	_ = filepath.WalkDir(dir, func(p string, _ fs.DirEntry, _ error) error { fmt.Fprintln(&b, p); return nil })
	for _, v := range os.Environ() {
		if strings.Contains(v, dir) {
			fmt.Fprintln(&b, v)
		}
	}
	f, err := os.Open(args[0])
	if err == nil {
		var z *gzip.Reader
		if z, err = gzip.NewReader(f); err == nil {
			_, err = b.ReadFrom(z)
		}
	}
	if err == nil {
		err = os.WriteFile(args[2], b.Bytes(), 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

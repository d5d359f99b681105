package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// peakOf runs t2map in a process of its own and returns its exit status, its output and its peak memory in MiB, or 0
// if the system does not report it.
func peakOf(t *testing.T, args ...string) (code int, text string, peak float64) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "peak")
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "T2MAP_AS_COMMAND=1", "T2MAP_PEAK="+file)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if kib, err := os.ReadFile(file); err == nil {
		peak, _ = strconv.ParseFloat(string(kib), 64)
	}
	return c.ProcessState.ExitCode(), string(out), peak / 1024
}

// notePeak writes the process's peak memory in KiB into the file. VmHWM (proc(5)) is reset for each program; the
// rusage of a child is not.
func notePeak(file string) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_ = os.WriteFile(file, []byte(strings.TrimSuffix(strings.TrimSpace(rest), " kB")), 0o666)
		}
	}
}

// gzipBomb compresses a header and n·64 MiB of zeros, which take 64 kB each.
func gzipBomb(t *testing.T, header []byte, n int) []byte {
	t.Helper()
	pack := func(data []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(data)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	file := pack(header)
	zeros := pack(make([]byte, 64<<20))
	for range n {
		file = append(file, zeros...) // members follow each other (RFC 1952, 2.2)
	}
	return file
}

// niftiHeader returns the uncompressed header of the label map with another size.
func niftiHeader(t *testing.T, labels string, size [3]int) []byte {
	t.Helper()
	header := make([]byte, 352) // nifti1.h: 348 and an extension's flag
	must(io.ReadFull(must(gzip.NewReader(bytes.NewReader(must(os.ReadFile(labels))))), header))
	for d, n := range size {
		binary.LittleEndian.PutUint16(header[42+2*d:], uint16(n)) // dim[1…3]
	}
	return header
}

// replaceMask replaces the study's label map by a mask in another format on the same grid. head is the text before the
// voxels, with the grid's size, spacing, axes and origin in RAS. The voxels are followed by 2 GB of zeros in gzip.
func replaceMask(t *testing.T, study, name string, head func(size [3]int, axes [3][3]float64,
	origin [3]float64) string) {
	t.Helper()
	labels := filepath.Join(study, "labels.nii.gz")
	h := niftiHeader(t, labels, [3]int{64, 64, 6})
	var axes [3][3]float64 // of i, j and k
	var origin [3]float64
	for r := range 3 {
		for c := range 4 { // srow_x, srow_y, srow_z
			v := float64(math.Float32frombits(binary.LittleEndian.Uint32(h[280+16*r+4*c:])))
			if c == 3 {
				origin[r] = v
			} else {
				axes[c][r] = v
			}
		}
	}
	data := append([]byte(head([3]int{64, 64, 6}, axes, origin)), gzipBomb(t, make([]byte, 64*64*6), 31)...)
	if err := os.WriteFile(filepath.Join(study, name), data, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(labels); err != nil {
		t.Fatal(err)
	}
}

// nrrdHead and metaHead are headers of masks whose voxels follow in gzip.
func nrrdHead(size [3]int, axes [3][3]float64, origin [3]float64) string {
	vector := func(v [3]float64) string { return fmt.Sprintf("(%g,%g,%g)", v[0], v[1], v[2]) }
	return fmt.Sprintf("NRRD0004\ntype: uchar\ndimension: 3\nspace: RAS\nsizes: %d %d %d\nspace directions: %s %s "+
		"%s\nspace origin: %s\nencoding: gzip\n\n",
		size[0], size[1], size[2], vector(axes[0]), vector(axes[1]), vector(axes[2]), vector(origin))
}

func metaHead(size [3]int, axes [3][3]float64, origin [3]float64) string {
	matrix, spacing := "", ""
	for _, a := range axes {
		step := math.Sqrt(a[0]*a[0] + a[1]*a[1] + a[2]*a[2])
		matrix += fmt.Sprintf(" %.9g %.9g %.9g", -a[0]/step, -a[1]/step, a[2]/step)
		spacing += fmt.Sprintf(" %.9g", step)
	}
	return fmt.Sprintf("ObjectType = Image\nNDims = 3\nCompressedData = True\nTransformMatrix =%s\nOffset = %g %g "+
		"%g\nElementSpacing =%s\nDimSize = %d %d %d\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
		matrix, -origin[0], -origin[1], origin[2], spacing, size[0], size[1], size[2])
}

// sparse makes the study's images declare side × side pixels without writing them.
func sparse(t *testing.T, study string, side int) {
	t.Helper()
	images, err := filepath.Glob(filepath.Join(study, "*.dcm"))
	if err != nil || len(images) == 0 {
		t.Fatal(err)
	}
	for _, path := range images {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, element := range []string{"\x28\x00\x10\x00US\x02\x00", "\x28\x00\x11\x00US\x02\x00"} {
			index := bytes.Index(data, []byte(element))
			binary.LittleEndian.PutUint16(data[index+8:], uint16(side))
		}
		index := bytes.Index(data, []byte("\xe0\x7f\x10\x00OW\x00\x00")) + 12
		binary.LittleEndian.PutUint32(data[index-4:], uint32(2*side*side))
		if err := os.WriteFile(path, data[:index], 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(index)+2*int64(side)*int64(side)); err != nil {
			t.Skip("no sparse files here: ", err)
		}
	}
}

func needHoles(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("files with holes need a file system that has them")
	}
}

// checkBomb checks that run and inspect refuse the study SA for the reason, in little memory, and that SB is mapped.
// The limit of time is loose, because machines are shared.
func checkBomb(t *testing.T, dir, want string, args ...string) {
	t.Helper()
	const most, longest = 300, 20 * time.Second
	out := filepath.Join(t.TempDir(), "results")
	for _, command := range [][]string{append([]string{"run", dir, "--out", out, "--scheme", "compartments",
		"--quiet"}, args...), append([]string{"inspect", dir, "--scheme", "compartments"}, args...)} {
		start := time.Now()
		code, text, peak := peakOf(t, command...)
		took := time.Since(start)
		if code != exitFailed || !strings.Contains(text, want) || strings.Contains(text, "goroutine") {
			t.Errorf("%s: exit status %d, want %d and …%s…\n%.2000s", command[0], code, exitFailed, want, text)
		}
		if peak > most || took > longest {
			t.Errorf("%s: %.0f MiB in %v", command[0], peak, took)
		}
		t.Logf("%s: %.0f MiB in %v", command[0], peak, took)
	}
	table, err := os.ReadFile(filepath.Join(out, "compartments.csv"))
	if err != nil || bytes.Count(table, []byte("\nSB,")) != 3 || bytes.Count(table, []byte("\n")) != 4 {
		t.Errorf("%v\n%s", err, table)
	}
}

// Files that declare gigabytes are refused within 300 MB of memory. The other study is mapped and in the tables.
func TestBombs(t *testing.T) {
	needHoles(t)
	for _, c := range []struct {
		name string
		make func(t *testing.T, study string)
		args []string
		want string
	}{
		{"a mask of 2 GB of zeros", func(t *testing.T, study string) {
			labels := filepath.Join(study, "labels.nii.gz")
			bomb := gzipBomb(t, niftiHeader(t, labels, [3]int{1200, 1200, 1400}), 31)
			if err := os.WriteFile(labels, bomb, 0o666); err != nil {
				t.Fatal(err)
			}
		}, nil, "the mask has 1200×1200×1400 voxels, more than an image of a knee"},
		{"a mask on the grid, and 2 GB behind it", func(t *testing.T, study string) {
			labels := filepath.Join(study, "labels.nii.gz")
			bomb := gzipBomb(t, niftiHeader(t, labels, [3]int{64, 64, 6}), 31)
			if err := os.WriteFile(labels, bomb, 0o666); err != nil {
				t.Fatal(err)
			}
		}, nil, "data: more than the 64×64×6×1 voxels"},
		{"a mask in NRRD on the grid, and 2 GB behind it",
			func(t *testing.T, study string) { replaceMask(t, study, "mask.nrrd", nrrdHead) },
			nil, "data: more than the 64×64×6 voxels"},
		{"a mask in MetaImage on the grid, and 2 GB behind it",
			func(t *testing.T, study string) { replaceMask(t, study, "mask.mha", metaHead) },
			nil, "data: more than the 64×64×6 voxels"},
		{"a mask of 16 GB, uncompressed and never written", func(t *testing.T, study string) {
			labels := filepath.Join(study, "labels.nii.gz")
			if err := os.WriteFile(labels, niftiHeader(t, labels, [3]int{3000, 3000, 2000}), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(labels, 16<<30); err != nil {
				t.Skip("no sparse files here: ", err)
			}
		}, nil, "the mask has 3000×3000×2000 voxels, more than an image of a knee"},
		{"images of 8192 × 8192 that were never written", func(t *testing.T, study string) { sparse(t, study, 8192) },
			nil, "the pixels were never written"},
		{"images that need more than was given", func(t *testing.T, study string) { sparse(t, study, 1024) },
			[]string{"--memory", "250"},
			"memory: 1024×1024×6 voxels, 7 echoes: the study needs "},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := studies(t, 2)
			c.make(t, filepath.Join(dir, "SA"))
			checkBomb(t, dir, c.want, c.args...)
		})
	}
}

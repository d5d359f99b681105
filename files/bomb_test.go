package files

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// allocated returns the bytes that f allocates, and its duration.
func allocated(f func()) (uint64, time.Duration) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, took
}

// wantCheap fails if refusing a bomb took more than 256 MB or, on an idle machine, a
// second.
func wantCheap(t *testing.T, f func()) {
	t.Helper()
	bytes, took := allocated(f)
	t.Logf("%d kB allocated, %v", bytes>>10, took)
	if bytes > 256<<20 {
		t.Errorf("%d MB allocated", bytes>>20)
	}
	if took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

// zeros returns n MiB of zeros, deflated by repeating one MiB.
func zeros(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	check(t, err)
	_, err = w.Write(make([]byte, 1<<20))
	check(t, err)
	check(t, w.Flush())
	block := bytes.Clone(b.Bytes())
	out := bytes.Repeat(block, n)
	return append(out, 3, 0) // the last, empty block (RFC 1951 3.2.6)
}

// rawZip writes an archive with one entry and any header.
func rawZip(t *testing.T, data []byte, h zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&h)
	check(t, err)
	_, err = w.Write(data)
	check(t, err)
	check(t, z.Close())
	return b.Bytes()
}

func TestZipBomb(t *testing.T) {
	data := zeros(t, 1024)
	bomb := rawZip(t, data, zip.FileHeader{Name: "IM1", Method: zip.Deflate, CompressedSize64: uint64(len(data)),
		UncompressedSize64: 1 << 30})
	wantCheap(t, func() {
		wantKind(t, alone(t, "a.zip", bomb, Limits{}).Err, ErrLimit, "a.zip: holds more than 800 times its own size",
			"")
	})
}

// The header declares few bytes, and more follow.
func TestZipSizes(t *testing.T) {
	data := zeros(t, 16)
	packed := uint64(len(data))
	for _, c := range []struct {
		name  string
		h     zip.FileHeader
		words string
	}{
		{"too small", zip.FileHeader{UncompressedSize64: 1000},
			"IM1: is not where the archive declares it or is larger than declared"},
		{"too small, in a temporary file", zip.FileHeader{UncompressedSize64: 10 << 20},
			"IM1: is not where the archive declares it or is larger than declared"},
		{"cut off", zip.FileHeader{UncompressedSize64: 1 << 20, CompressedSize64: 500}, "IM1: ends early"},
		{"checksum", zip.FileHeader{UncompressedSize64: 16 << 20, CRC32: 7}, "IM1: does not have the checksum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			leavesNothing(t)
			h := c.h
			h.Name, h.Method = "IM1", zip.Deflate
			if h.CompressedSize64 == 0 {
				h.CompressedSize64 = packed
			}
			dir := t.TempDir()
			put(t, filepath.Join(dir, "a.zip"), rawZip(t, data[:h.CompressedSize64], h))
			tree := list(t, Limits{MemoryBytes: 1 << 20}, dir)
			wantNames(t, tree, "a.zip/IM1")
			f, err := tree.Open(tree.Entries()[0].Path)
			check(t, err)
			defer f.Close()
			_, err = io.Copy(io.Discard, io.NewSectionReader(f, 0, f.Size()))
			wantKind(t, err, ErrInvalid, c.words, dir)
			_, err = f.ReadAt(make([]byte, 10), f.Size()-10)
			wantKind(t, err, ErrInvalid, c.words, dir)
			_, err = f.Bytes(nil)
			wantKind(t, err, ErrInvalid, c.words, dir)
		})
	}
}

func TestZipStoredChecksum(t *testing.T) {
	dir := t.TempDir()
	data := zipOf(t, zip.Store, content{"IM1", noise(1000)})
	data[100] ^= 1
	put(t, filepath.Join(dir, "a.zip"), data)
	tree := list(t, Limits{}, dir)
	f, err := tree.Open(tree.Entries()[0].Path)
	check(t, err)
	defer f.Close()
	_, err = f.Bytes(nil)
	wantKind(t, err, ErrInvalid, "a.zip/IM1: does not have the checksum", dir)
}

// overlapping is a zip whose n entries are all the same bytes (Fifield, "A better
// zip bomb", 2019, in its simplest form).
func overlapping(n int, data []byte, size uint32) []byte {
	var b bytes.Buffer
	le := func(v ...any) {
		for _, x := range v {
			binary.Write(&b, binary.LittleEndian, x)
		}
	}
	le([]byte("PK\x03\x04"), uint16(20), uint16(0), uint16(8), uint32(0), uint32(0), uint32(len(data)), size, uint16(1),
		uint16(0), []byte("a"), data)
	directory := b.Len()
	for i := range n {
		name := fmt.Sprintf("IM%05d", i)
		le([]byte("PK\x01\x02"), uint16(20), uint16(20), uint16(0), uint16(8), uint32(0), uint32(0), uint32(len(data)),
			size,
			uint16(len(name)), uint16(0), uint16(0), uint16(0), uint16(0), uint32(0), uint32(0), []byte(name))
	}
	end := b.Len()
	le([]byte("PK\x05\x06"), uint16(0), uint16(0), uint16(n), uint16(n), uint32(end-directory), uint32(directory),
		uint16(0))
	return b.Bytes()
}

func TestOverlappingZip(t *testing.T) {
	bomb := overlapping(50_000, zeros(t, 20), 20<<20)
	wantCheap(t, func() {
		wantKind(t, alone(t, "a.zip", bomb, Limits{}).Err, ErrLimit, "a.zip: holds more than", "")
	})
	small := overlapping(300, zeros(t, 20), 1000)
	wantKind(t, alone(t, "a.zip", small, Limits{}).Err, ErrInvalid, "a.zip: its files overlap", "")
}

// The archive declares few files, and more follow; or it declares more than fit into
// memory.
func TestZipDirectory(t *testing.T) {
	many := overlapping(5*65536+3, nil, 0)
	wantCheap(t, func() {
		wantKind(t, alone(t, "a.zip", many, Limits{}).Err, ErrLimit, "holds more than 100000 files", "")
	})
	few := zipOf(t, zip.Store, sample...)
	end := bytes.LastIndex(few, []byte("PK\x05\x06"))
	promise := bytes.Clone(few[:end])
	record := len(promise)
	promise = append(promise, "PK\x06\x06"...)
	promise = append(promise, make([]byte, 52)...)
	binary.LittleEndian.PutUint64(promise[record+32:], 1<<40)
	binary.LittleEndian.PutUint64(promise[record+48:], uint64(bytes.Index(few, []byte("PK\x01\x02"))))
	promise = append(promise, "PK\x06\x07\x00\x00\x00\x00"...)
	promise = binary.LittleEndian.AppendUint64(promise, uint64(record))
	promise = append(promise, 1, 0, 0, 0)
	promise = append(promise, few[end:]...)
	for i := range 12 {
		promise[len(promise)-22+8+i] = 0xff
	}
	// A sparse file can have any length.
	dir := t.TempDir()
	path := filepath.Join(dir, "a.zip")
	f, err := os.Create(path)
	check(t, err)
	_, err = f.Write(few[:1000])
	check(t, err)
	const far = 1 << 40
	binary.LittleEndian.PutUint64(promise[len(promise)-22-20+8:], far+uint64(record))
	if _, err = f.WriteAt(promise, far); err != nil {
		t.Skip(err)
	}
	check(t, f.Close())
	wantCheap(t, func() {
		wantKind(t, list(t, Limits{}, dir).Entries()[0].Err, ErrLimit, "holds more than 100000 files", dir)
	})
}

func TestGzipBomb(t *testing.T) {
	tape := tarOf(t, content{"IM1", ""})
	header := bytes.Clone(tape[:512])
	copy(header[124:], "30000000000\x00") // 3 GiB, in octal
	copy(header[148:], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	var b bytes.Buffer
	b.WriteString("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
	w, err := flate.NewWriter(&b, 9)
	check(t, err)
	_, err = w.Write(header)
	check(t, err)
	check(t, w.Flush())
	b.Write(zeros(t, 3072)) // the checksum is not reached
	wantCheap(t, func() {
		wantKind(t, alone(t, "a.tar.gz", b.Bytes(), Limits{}).Err, ErrLimit,
			"a.tar.gz: holds more than 800 times its own size", "")
	})
	// There may be as many after the end of the tar.
	b.Truncate(10)
	w.Reset(&b)
	_, err = w.Write(tape)
	check(t, err)
	check(t, w.Flush())
	b.Write(zeros(t, 3072))
	wantCheap(t, func() {
		wantKind(t, alone(t, "a.tar.gz", b.Bytes(), Limits{}).Err, ErrLimit,
			"a.tar.gz: holds more than 800 times its own size", "")
	})
}

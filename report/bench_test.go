package report

import (
	"io"
	"path/filepath"
	"testing"
)

// The study of the figure benchmarks: 30 slices of 384², all with a mask, as an OAI knee.
func benchStudy() Study { return rings(384, 30) }

func BenchmarkScene(b *testing.B) {
	s := benchStudy()
	for b.Loop() {
		newScene(s)
	}
}

func BenchmarkOverlay(b *testing.B) {
	s := benchStudy()
	sc := newScene(s)
	b.ReportAllocs()
	for b.Loop() {
		if err := writeOverlay(io.Discard, sc, s.Result); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPreview(b *testing.B) {
	s := benchStudy()
	sc := newScene(s)
	for b.Loop() {
		if err := writePreview(io.Discard, sc, s.Result); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecay(b *testing.B) {
	r := rings(16, 1).Result
	b.ReportAllocs()
	for b.Loop() {
		if err := writeDecay(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWriteStudy is the whole folder with maps in the mask, on disk.
func BenchmarkWriteStudy(b *testing.B) {
	s := benchStudy()
	dir := filepath.Join(b.TempDir(), "study")
	for b.Loop() {
		if _, err := WriteStudy(dir, s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRegions is what a divided mask adds to the pictures.
func BenchmarkRegions(b *testing.B) {
	s := divided(benchStudy(), 2)
	sc := newScene(s)
	b.ReportAllocs()
	for b.Loop() {
		if err := writeRegions(io.Discard, sc, s.Result); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheckerboard is what a registration adds.
func BenchmarkCheckerboard(b *testing.B) {
	s := benchStudy()
	sc := newScene(s)
	for b.Loop() {
		if err := writeCheckerboard(io.Discard, sc, Aligned{s.Echo, s.Echo}, s.Result); err != nil {
			b.Fatal(err)
		}
	}
}

package compare

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkWilcoxon runs the largest exact test.
func BenchmarkWilcoxon(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := normals(r, exactBelow-1, 1), normals(r, exactBelow-1, 1)
	for b.Loop() {
		if _, err := Wilcoxon(x, y, 0.95); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPermutation draws the default number of arrangements of 60 and 60 subjects.
func BenchmarkPermutation(b *testing.B) {
	s := trial(rand.New(rand.NewPCG(1, 2)), 120, 3, 9)
	for b.Loop() {
		if _, err := Permutation(s, Permutations{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHedgesG(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := normals(r, 12, 9), normals(r, 12, 9)
	for b.Loop() {
		if _, err := HedgesG(x, y, 0.95); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSpearman(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := normals(r, spearmanExact, 9), normals(r, spearmanExact, 9)
	for b.Loop() {
		if _, err := Spearman(x, y, 0.95); err != nil {
			b.Fatal(err)
		}
	}
}

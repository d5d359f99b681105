package batch

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// Entries are the same after they were packed, whatever is in their texts and numbers.
func TestCompact(t *testing.T) {
	s := shelf{out: "results", index: map[digest]int{}}
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		return []string{"", "S01", "V\x00\xff1", strings.Repeat("ü", 300), "a/b"}[random.IntN(5)]
	}
	sum := func() (d digest) {
		if d[0] = byte(random.IntN(3)); d[0] > 0 {
			d[31] = byte(random.IntN(256))
		}
		return d
	}
	number := func() int64 {
		return []int64{0, 1, -1, 12345, math.MaxInt64, math.MinInt64, random.Int64()}[random.IntN(7)]
	}
	all := map[entry]compact{}
	for range 2000 {
		e := entry{Subject: text(), Visit: text(), Study: text(), Series: text(), Side: text(), Folder: text(),
			Request: sum(), Inputs: sum(), Outputs: sum(), Settings: sum(), Sum: sum(), Size: number(), Time: number(),
			mapped: random.IntN(2) == 0}
		e.Dir = filepath.Join("results", filepath.FromSlash(e.Folder))
		all[e] = s.pack(e)
	}
	for want, packed := range all {
		if got := s.unpack(want.Study, packed); got != want {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
	}
}

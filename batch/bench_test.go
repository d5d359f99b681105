package batch

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/phantom"
)

// BenchmarkRun maps one study of the size of an OAI knee, every voxel, from files
// to files. With -cpuprofile it says where the time goes.
func BenchmarkRun(b *testing.B) {
	dir := b.TempDir()
	k, err := phantom.New(context.Background(), phantom.Options{Matrix: 384, Slices: 30})
	if err == nil {
		err = k.Write(context.Background(), filepath.Join(dir, "studies", "S01"))
	}
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := settings(b, dir)
		s.Out = b.TempDir()
		if out := run(b, s); len(out.Results) != 1 {
			b.Fatalf("%+v", out.Failures)
		}
	}
}

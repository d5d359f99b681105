package phantom

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

func mustWriteAs(t *testing.T, s *Study, form Form) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "study")
	if err := s.WriteAs(context.Background(), dir, form); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWriteAsRefuses(t *testing.T) {
	err := mustNew(t, small()).WriteAs(context.Background(), t.TempDir(), Form{Mask: "png"})
	if err == nil || !strings.Contains(err.Error(), `mask: got "png", want one of`) {
		t.Errorf("got %v", err)
	}
}

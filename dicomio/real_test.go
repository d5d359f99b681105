package dicomio

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// real returns the files of ../shared/data that fit a pattern.
func real(t *testing.T, pattern string) []string {
	t.Helper()
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("real data are not here: ", err)
	}
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Fatal(pattern, " fits nothing; ", err)
	}
	return files
}

// storedValues returns the hash of all frames of a file as they are stored. Some of
// the samples are no images of a train for want of attributes, which does not matter
// to their pixels.
func storedValues(t *testing.T, file string) (string, error) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h := &header{name: filepath.Base(file), size: int64(len(data))}
	if _, err := h.parse(bytes.NewReader(data)); err != nil && !strings.Contains(err.Error(), "PerFrameFunctionalGroupsSequence") {
		return "", err
	}
	out, err := guard(bytes.NewReader(data), h.size, nil)
	if err != nil {
		return "", err
	}
	if h.encapsulated {
		if err := h.divide(&out); err != nil {
			return "", err
		}
	}
	if err := h.checkLength(); err != nil {
		return "", err
	}
	r := frameReader{body: out.body}
	sum := sha256.New()
	for n := range h.frames {
		raw, err := r.read(h, n)
		if err != nil {
			return "", err
		}
		sum.Write(raw)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// One image in nine encodings, and the compressed variants of others, hold the same
// stored values as the one that is not compressed.
func TestRealEncodingsAgree(t *testing.T) {
	for _, c := range []struct{ plain, variants string }{
		{"transfer-syntaxes/1.dcm", "transfer-syntaxes/?.dcm"},
		{"pydicom/MR_small.dcm", "pydicom/MR_small*.dcm"},
		{"pydicom/emri_small.dcm", "pydicom/emri_small*.dcm"},
		{"pydicom/liver.dcm", "pydicom/liver_[dejr]*.dcm"},
		{"pydicom/liver_nonbyte_aligned.dcm", "pydicom/liver_nonbyte_aligned_*.dcm"},
	} {
		want, err := storedValues(t, real(t, c.plain)[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range real(t, c.variants) {
			got, err := storedValues(t, file)
			switch {
			case strings.Contains(file, "too_short"):
				if err == nil {
					t.Errorf("%s: is read although it is truncated", file)
				}
			case err != nil:
				t.Error(err)
			case got != want:
				t.Errorf("%s: stored values differ from those of %s", file, c.plain)
			}
		}
	}
}

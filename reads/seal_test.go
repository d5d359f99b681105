package reads

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/hint"
)

// A blinding is made once and stays. It is readable by its owner only, the record has its commitment and its opening, and
// nobody reads blindly afterwards.
func TestSeal(t *testing.T) {
	results := t.TempDir()
	s, err := Open(results)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Unblind(); err == nil {
		t.Error("there was nothing to open")
	}
	first, err := s.Blind(0.1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Blind(0.1)
	if err != nil || *again != *first {
		t.Errorf("%v, %+v and %+v", err, first, again)
	}
	if _, err := s.Blind(0.2); err == nil || !strings.Contains(err.Error(), "10 % repeats") {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(results, Folder, sealedFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", err, info.Mode())
	}
	opened, err := s.Unblind()
	if err != nil || *opened != *first {
		t.Errorf("%v, %+v", err, opened)
	}
	if opened, err = s.Unblind(); err != nil || *opened != *first {
		t.Errorf("%v, %+v", err, opened)
	}
	if _, err := s.Blind(0.1); err == nil || !strings.Contains(err.Error(), "unblinded") {
		t.Error(err)
	}
	want, _ := first.Commitment()
	var kinds []audit.Kind
	if _, _, err := audit.Read(results, func(e audit.Event) {
		kinds = append(kinds, e.Kind)
		if e.Commitment != want {
			t.Errorf("%+v", e)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(kinds) != 2 || kinds[0] != audit.ReadsBlinded || kinds[1] != audit.ReadsUnblinded {
		t.Error(kinds)
	}
}

// events returns the kinds of the events of a record about the blinding with a commitment.
func events(t *testing.T, results, commitment string) (kinds []audit.Kind) {
	t.Helper()
	if _, faults, err := audit.Read(results, func(e audit.Event) {
		if e.Commitment == commitment {
			kinds = append(kinds, e.Kind)
		}
	}); err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	return kinds
}

// A program that is killed between the seal and its event leaves a seed without a commitment; the next one adds it. One that
// is killed between the opening and its event has opened the seal.
func TestSealAfterCrash(t *testing.T) {
	results := t.TempDir()
	s, err := Open(results)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if blinded, err := Look(results).Blinded(); blinded || err != nil {
		t.Error("without reads:", blinded, err)
	}
	b := NewBlinding(0.1)
	sum, _ := b.Commitment()
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	sealed, opened := filepath.Join(results, Folder, sealedFile), filepath.Join(results, Folder, openedFile)
	if err := errors.Join(os.Mkdir(filepath.Dir(sealed), 0o777), os.WriteFile(sealed, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	want := []audit.Kind{audit.ReadsBlinded}
	for range 2 {
		if got, err := s.Blind(0.1); err != nil || *got != b {
			t.Fatalf("%v, %+v", err, got)
		}
		if got := events(t, results, sum); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	}
	if blinded, err := Look(results).Blinded(); !blinded || err != nil {
		t.Error("sealed:", blinded, err)
	}
	if err := s.note(audit.ReadsUnblinded, b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Blind(0.1); !errors.Is(err, errUnblinded) || hint.Find(err) == "" {
		t.Error(err)
	}
	if got, err := s.Unblind(); err != nil || *got != b {
		t.Errorf("%v, %+v", err, got)
	}
	if got := events(t, results, sum); !slices.Equal(got, append(want, audit.ReadsUnblinded)) {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(opened); err != nil {
		t.Error(err)
	}
	if blinded, err := Look(results).Blinded(); blinded || err != nil {
		t.Error("opened:", blinded, err)
	}
}

// The codes of some cases are those that the reader saw.
func TestCodes(t *testing.T) {
	b := NewBlinding(0.5)
	var studies, some []Key
	for n := range 40 {
		studies = append(studies, Key{Study: strings.Repeat("0", 10) + string(rune('a'+n%6)) + string(rune('0'+n/6)), Series: strings.Repeat("1", 12)})
	}
	cases, err := b.Cases("R1", studies)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases[30:] {
		some = append(some, c.Key)
	}
	codes, err := b.Codes("R1", some)
	if err != nil || len(codes) != len(some) {
		t.Fatal(err, codes)
	}
	for _, c := range cases[30:] {
		if codes[c.Key] != c.Code {
			t.Errorf("%s: %s, want %s", c.Key, codes[c.Key], c.Code)
		}
	}
	if _, err := b.Codes("../R1", some); err == nil {
		t.Error("a reader that cannot be is accepted")
	}
}

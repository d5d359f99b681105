package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/table"
)

// A row over the folder of several studies names none of them, whichever is found first; a scout beside
// the knee does not matter.
func TestRowOverSeveralStudies(t *testing.T) {
	dir := t.TempDir()
	twoScans(t, dir, "in/a", "in/b", nil)
	scanOf(t, filepath.Join(dir, "studies", "one", "knee"), map[string]string{"StudyInstanceUID": "2.25.3"}, false)
	scanOf(t, filepath.Join(dir, "studies", "one", "0-scout"), map[string]string{"StudyInstanceUID": "2.25.5"}, false)
	for n := 2; n < 10; n++ { // all but the first echo
		if err := os.Remove(filepath.Join(dir, "studies", "one", "0-scout", fmt.Sprintf("IM_%04d", n))); err != nil {
			t.Fatal(err)
		}
	}
	s := settings(t, dir)
	s.Manifest, s.Mask = filepath.Join(dir, "m.csv"), "labels.nii.gz"
	for _, c := range []struct {
		rows    string
		results int
		reason  string
		failed  int
	}{
		{"studies/in,S1,V1\n", 0, "manifest m.csv: line 2: the folder holds 2 studies (studies/in/a, studies/in/b)", 2},
		{"studies/in/a,S1,V1\nstudies/in/b,S1,V2\n", 2, "", 0},
		{"studies/in,S1,V1\nstudies/in/b,S1,V2\n", 2, "", 0}, // the deeper row takes one of them
		{"studies,S1,V1\n", 0, "line 2: the folder holds 3 studies (studies/in/a, studies/in/b, studies/one/knee)", 4},
		{"studies/one,S1,V1\n", 1, "manifest m.csv: line 2 names another study in the same folder", 1},
	} {
		s.Out = t.TempDir()
		writeText(t, s.Manifest, "folder,subject,visit\n"+c.rows)
		out := run(t, s)
		if len(out.Results) != c.results || len(out.Failures) != c.failed {
			t.Errorf("%q: %d results, %+v", c.rows, len(out.Results), out.Failures)
			continue
		}
		for _, f := range out.Failures[:min(1, c.failed)] {
			found := false
			for _, f := range out.Failures {
				found = found || strings.Contains(f.Reason, c.reason) && strings.Contains(f.Hint, "a row for each study")
			}
			if !found {
				t.Errorf("%q: %+v", c.rows, f)
			}
		}
		in, err := Inspect(context.Background(), s)
		if err != nil || in.Failed() != c.failed {
			t.Errorf("%q: inspect: %d fail, %v", c.rows, in.Failed(), err)
		}
	}
}

// A manifest that names nobody, or whose rows may be shifted, is an error before anything is done, and
// its hints name no flag that run does not have.
func TestManifestsThatNameNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.csv")
	for _, c := range []struct{ text, want string }{
		{"folder,subject,visit\n", "manifest m.csv: the table has no rows"},
		{"folder,subject\n,\n,,\n", "m.csv: "},
		{"folder,subject,visit\na,V1\n", "manifest m.csv: line 2 has 2 cells, but the first row names 3 columns: visit is missing"},
		{"folder,subject,visit,side\na,S1,V1,L\nb,S2\n", "line 3 has 2 cells"},
		{"folder,subject,visit\na,S1,V1,x\n", "line 2 has 4 cells"},
		{"folder;subject\na;S1\n", "separated by"},
	} {
		writeText(t, path, c.text)
		_, err := readManifest(path, table.Format{})
		if err == nil || !strings.Contains(err.Error(), c.want) || Hint(err) == "" || strings.Contains(Hint(err), "--decimal") {
			t.Errorf("%q: %v (hint %q), want %q", c.text, err, Hint(err), c.want)
		}
	}
	writeText(t, path, "folder,subject,visit,side\na,S1,V1,L\nb,S2,V1\n")
	m, err := readManifest(path, table.Format{})
	if err != nil || len(m.remarks(nil)) != 1 || !strings.Contains(m.remarks(nil)[0], "manifest m.csv: rows with fewer cells") {
		t.Errorf("%v, %q", err, m.remarks(nil))
	}
}

package batch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "site7", "P-1", "v0", "dicom"), phantom.Options{Subject: "S01", Visit: "baseline"})
	s := settings(t, dir)
	manifest := filepath.Join(dir, "manifest.csv")
	for _, c := range []struct {
		name, layout, manifest string
		subject, visit, want   string
	}{
		{name: "clinical-trial attributes", subject: "S01", visit: "baseline"},
		{name: "layout", layout: "*/{subject}/{visit}", subject: "P-1", visit: "v0"},
		{name: "layout with text", layout: "site7/P-{subject}/v{visit}", subject: "1", visit: "0"},
		{name: "layout that does not match", layout: "site8/{subject}/{visit}", want: "does not match the layout"},
		{name: "layout that splits in two ways", layout: "{subject}{visit}", want: "can be split in several ways"},
		{name: "layout with the last folder", layout: "*/{subject}/{visit}/dicom", subject: "P-1", visit: "v0"},
		{name: "manifest", manifest: "\ufefffolder,subject,visit\nstudies/site7/P-1,X1,week 4\n", subject: "X1", visit: "week 4"},
		{name: "manifest, deepest row", manifest: "folder,subject\nstudies,X\nstudies/site7/P-1/v0,Y\n", subject: "Y", want: "no MR study in its folder, studies"},
		{name: "manifest without the study", manifest: "folder,subject\nstudies/other,X\n", want: "manifest manifest.csv: line 2: no MR study in its folder, studies/other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s
			s.Out = t.TempDir()
			s.Layout = c.layout
			if c.manifest != "" {
				if err := os.WriteFile(manifest, []byte(c.manifest), 0o644); err != nil {
					t.Fatal(err)
				}
				s.Manifest = manifest
			}
			out := run(t, s)
			if c.want != "" && !slices.ContainsFunc(out.Failures, func(f report.Failure) bool { return strings.Contains(f.Reason, c.want) && f.Hint != "" }) {
				t.Errorf("failures %+v, want …%s…", out.Failures, c.want)
			}
			if c.subject != "" && (len(out.Results) != 1 || out.Results[0].Subject != c.subject || out.Results[0].Visit != c.visit) {
				t.Errorf("%+v, want subject %q, visit %q", out.Results, c.subject, c.visit)
			}
		})
	}
}

func TestSidesOfManifest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.csv")
	for text, want := range map[string]string{"L": "L", "r": "R", "left": "L", "Right": "R", "": ""} {
		if err := os.WriteFile(path, []byte("folder,subject,side\na,S01,"+text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := readManifest(path, table.Format{})
		if err != nil || m.rows[0].Side != want {
			t.Errorf("%q: %+v, %v; want %s", text, m, err, want)
		}
	}
}

func TestManifestIsChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.csv")
	for _, c := range []struct{ text, want string }{
		{"", "the table is empty"},
		{"folder,subject,subject\na,S01,S02\n", `column "subject" is there twice`},
		{"folder,subject,colour\n", `column "colour" is not known`},
		{"folder,subject\n,S01\n", "line 2 has no folder or no subject"},
		{"folder,subject,side\na,S01,both\n", "is not L, R, left or right"},
		{"folder,subject\na,S01,more\n", "line 2 has 3 cells, the first row names 2"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readManifest(path, table.Format{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want …%s…", c.text, err, c.want)
		}
	}
}

// A manifest's mask is taken whatever it is called, and its side where the images
// have none.
func TestManifestMask(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	knee(t, study, phantom.Options{})
	if err := os.Rename(filepath.Join(study, "labels.nii.gz"), filepath.Join(study, "reader2.nii.gz")); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	if err := os.WriteFile(s.Manifest, []byte("folder,subject,mask\nstudies/a,S9,reader2.nii.gz\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := run(t, s)
	if len(out.Results) != 1 || out.Results[0].Inputs[len(out.Results[0].Inputs)-1].Path != "a/reader2.nii.gz" {
		t.Errorf("%+v", out)
	}
}

// Two studies of one subject and visit do not overwrite each other.
func TestSameSubjectAndVisit(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "a"), phantom.Options{Subject: "S01"})
	knee(t, filepath.Join(dir, "studies", "b"), phantom.Options{Subject: "S02"})
	s := settings(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	writeText(t, s.Manifest, "folder,subject,visit\nstudies/a,S01,v1\nstudies/b,S01,v1\n")
	out := run(t, s)
	if len(out.Results) != 2 || strings.EqualFold(out.Results[0].Dir, out.Results[1].Dir) {
		t.Errorf("%+v", out)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderName(t *testing.T) {
	for in, want := range map[string]string{
		"S01": "S01", "Größe 7": "Größe_7", "../../etc": "_.._.._etc", "a/b\\c": "a_b_c", "CON": "_CON", "nul.txt": "_nul.txt",
		"compartments.csv": "_compartments.csv", "Index.html": "_Index.html", "": "_", ".hidden": "_.hidden", "dots...": "dots", "a\x00b": "a_b", "=cmd|' /C": "_cmd___C", strings.Repeat("x", 99): strings.Repeat("x", 64),
	} {
		got := folderName(in)
		if in == "../../etc" {
			if strings.ContainsAny(got, `/\`) || strings.HasPrefix(got, ".") {
				t.Errorf("%q becomes %q", in, got)
			}
			continue
		}
		if in == "=cmd|' /C" {
			if strings.ContainsAny(got, `/\|'= `) {
				t.Errorf("%q becomes %q", in, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

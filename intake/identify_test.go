package intake

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
)

// A study has the same identity whichever of the folders above it is searched.
func TestIdentityOfSearchedFolders(t *testing.T) {
	for _, c := range []struct{ layout, folder, subject, visit string }{
		{"{subject}/{visit}", "data/KN-101/V1", "KN-101", "V1"},
		{"{subject}/{visit}", "data/KN-101/V1/dicom", "KN-101", "V1"},
		{"{subject}/{visit}", "data/KN-101/V1/DICOM/images", "KN-101", "V1"},
		{"{subject}", "data/KN-101", "KN-101", ""},
		{"site*/{subject}/{visit}", "data/site7/KN-101/V1", "KN-101", "V1"},
		{"data/{subject}/{visit}", "data/KN-101/V1", "KN-101", "V1"},
		{"KN-{subject}/V{visit}", "data/KN-101/V1/dicom", "101", "1"},
		{"", "data/KN-101/V1", "P", "V1"},
		{"", "data/KN-101/V1/dicom", "P", "V1"},
		{"", "data/KN-101/V1/dcm/Images", "P", "V1"},
		{"", "data/KN-101/V1.zip/dicom", "P", "V1"},
	} {
		base := t.TempDir()
		folder := filepath.Join(base, filepath.FromSlash(c.folder))
		roots := []string{}
		for root := folder; root != base; root = filepath.Dir(root) {
			roots = append(roots, root)
		}
		for _, root := range roots {
			st := dicomio.Study{Place: dicomio.Place{Root: root, Folder: folder}, PatientID: "P"}
			s := Intake{Rules: Rules{Layout: c.layout}}
			s.anchor([]Notice{NoticeOf(st)})
			id, err := s.identify(st)
			if err != nil || id.Subject != c.subject || id.Visit != c.visit {
				t.Errorf("%s of %s, searched %s: %+v, %v", c.layout, c.folder, strings.TrimPrefix(root, base), id, err)
			}
		}
	}
}

// The working directory gives the same identity as its absolute path.
func TestIdentityOfWorkingDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "KN-101", "V1", "dicom")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, layout := range []string{"", "{subject}/{visit}"} {
		st := dicomio.Study{Place: dicomio.Place{Root: ".", Folder: "."}, PatientID: "KN-101"}
		s := Intake{Rules: Rules{Layout: layout}}
		s.anchor([]Notice{NoticeOf(st)})
		if id, err := s.identify(st); err != nil || id.Subject != "KN-101" || id.Visit != "V1" {
			t.Errorf("%q: %+v, %v", layout, id, err)
		}
	}
}

// Studies of several patients that lie too high for the layout do not become visits of the folder above them. If only
// one of many studies lies too high, only this one does not match.
func TestLayoutThatIsTooDeep(t *testing.T) {
	s := Intake{Rules: Rules{Layout: "{subject}/{visit}"}}
	studies := []dicomio.Study{{Place: dicomio.Place{Root: "/data", Folder: "/data/KN-101"}, PatientID: "1"},
		{Place: dicomio.Place{Root: "/data", Folder: "/data/KN-102"}, PatientID: "2"}}
	if remarks := s.anchor(notices(studies)); len(remarks) != 0 {
		t.Errorf("%q", remarks)
	}
	for _, st := range studies {
		if _, err := s.identify(st); err == nil || !strings.Contains(err.Error(), "does not match the layout") {
			t.Errorf("%s: %v", st.Folder, err)
		}
	}
	studies = append(studies[:1], dicomio.Study{Place: dicomio.Place{Root: "/data", Folder: "/data/KN-102/V1"},
		PatientID: "2"})
	s.anchor(notices(studies))
	if _, err := s.identify(studies[0]); err == nil {
		t.Error("a study without a visit has one")
	}
	if id, err := s.identify(studies[1]); err != nil || id.Subject != "KN-102" {
		t.Errorf("%+v, %v", id, err)
	}
}

// PatientID does not appear if the study has the trial's subject code.
func TestTrialSubjectGoesBeforePatientID(t *testing.T) {
	for _, c := range []struct{ subject, visit, want string }{{"S07", "v1", "S07"}, {"S07", "", "S07"},
		{"", "v1", "MRN123"}} {
		st := dicomio.Study{Place: dicomio.Place{Root: "r", Folder: filepath.Join("r", "x")}, PatientID: "MRN123",
			TrialSubject: c.subject, TrialTimepoint: c.visit}
		id, err := new(Intake).identify(st)
		if err != nil || id.Subject != c.want {
			t.Errorf("subject %q, time point %q: %+v, %v", c.subject, c.visit, id, err)
		}
	}
}

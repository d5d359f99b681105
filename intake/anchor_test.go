package intake

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
)

// A folder between the visit and the images does not change the identity of a study, regardless of the searched
// folder, if PatientID or earlier results confirm the subject.
func TestIdentityBelowInnerFolders(t *testing.T) {
	const layout = "{subject}/{visit}"
	for _, c := range []struct {
		name, folder, id string
		earlier          Earlier
		rename           bool
		subject, visit   string
	}{
		{"PatientID", "data/KN-101/V1/T2map", "KN-101", nil, false, "KN-101", "V1"},
		{"PatientID, a series' folder", "data/KN-101/V1/series5", "kn_101", nil, false, "KN-101", "V1"},
		{"PatientID, two inner folders", "data/KN-101/V1/knee/T2map/dicom", "KN-101", nil, false, "KN-101", "V1"},
		{"its own results", "data/KN-101/V1/T2map", "4711", Earlier{"h": {{Subject: "KN-101", Visit: "V1",
			Folder: "x"}}}, false, "KN-101", "V1"},
		{"results of another visit", "data/KN-101/V2/T2map", "4711", Earlier{"other": {{Subject: "KN-101", Visit: "V1",
			Folder: "x"}}}, false, "KN-101", "V2"},
	} {
		base := t.TempDir()
		folder := filepath.Join(base, filepath.FromSlash(c.folder))
		for root := folder; root != base; root = filepath.Dir(root) {
			st := dicomio.Study{Place: dicomio.Place{Hash: "h", Root: root, Folder: folder}, PatientID: c.id}
			s := Intake{Rules: Rules{Layout: layout}, Earlier: c.earlier}
			s.anchor([]Notice{NoticeOf(st)})
			id, err := s.identify(st)
			if err != nil || id.Subject != c.subject || id.Visit != c.visit {
				t.Errorf("%s, searched %s: %+v, %v", c.name, strings.TrimPrefix(root, base), id, err)
			}
		}
	}
	// Without a contradiction by PatientID, the layout begins below the searched folder.
	st := dicomio.Study{Place: dicomio.Place{Hash: "h", Root: "/KN-101/data", Folder: "/KN-101/data/V1/x"},
		PatientID: "V1"}
	s := Intake{Rules: Rules{Layout: layout}}
	s.anchor([]Notice{NoticeOf(st)})
	if id, err := s.identify(st); err != nil || id.Subject != "V1" {
		t.Errorf("%+v, %v", id, err)
	}
}

// studiesBelow returns studies in the folders below root, with their PatientID and, unless trial is nil, the subject
// codes of a trial.
func studiesBelow(root string, folders, ids, trial []string) []dicomio.Study {
	var studies []dicomio.Study
	for i, folder := range folders {
		st := dicomio.Study{Place: dicomio.Place{Hash: folder, Root: root,
			Folder: filepath.Join(root, filepath.FromSlash(folder))}, PatientID: ids[i]}
		if trial != nil {
			st.TrialSubject = trial[i]
		}
		studies = append(studies, st)
	}
	return studies
}

// The folders above the searched one name a study only if another source confirms the name. If only the folders
// name the studies, a remark says how.
func TestLayoutAboveTheSearchedFolder(t *testing.T) {
	earlier := Earlier{"other": {{Subject: "KN-101", Visit: "V9", Folder: "x"}}}
	for _, c := range []struct {
		name, layout, searched string
		folders, ids, trial    []string
		earlier                Earlier
		want                   string // the first study; "" fails
		remark                 string
	}{
		{"a flat archive", "{subject}/{visit}", "data", []string{"KN-101", "KN-102"}, []string{"", ""}, nil, nil, "",
			""},
		{"one flat study", "{subject}/{visit}", "data", []string{"KN-101"}, []string{""}, nil, nil, "", ""},
		{"one flat study of that PatientID", "{subject}/{visit}", "data", []string{"KN-101"}, []string{"kn_101"}, nil,
			nil, "", ""},
		{"a flat archive, one PatientID for all", "{subject}/{visit}", "data", []string{"KN-101", "KN-102"},
			[]string{"anonymous", "anonymous"}, nil, nil, "", ""},
		{"a flat archive, trial codes", "{subject}/{visit}", "data", []string{"KN-101", "KN-102"}, []string{"", ""},
			[]string{"A1", "A2"}, nil, "", ""},
		{"a flat archive, some with PatientID", "{subject}/{visit}", "data", []string{"KN-101", "KN-102"}, []string{"7",
			""}, nil, nil, "", ""},
		{"a subject", "{subject}/{visit}", "data/KN-101", []string{"V1", "V2"}, []string{"P4711", "P4711"}, nil, nil,
			"KN-101/V1", "from KN-101 on"},
		{"a subject with a trial code", "{subject}/{visit}", "data/KN-101", []string{"V1", "V2"}, []string{"", ""},
			[]string{"A1", "A1"}, nil, "KN-101/V1", "from KN-101 on"},
		{"a subject of earlier results", "{subject}/{visit}", "data/KN-101", []string{"V1", "V2"}, []string{"", ""},
			nil, earlier, "KN-101/V1", "from KN-101 on"},
		{"the name of a folder", "data/{subject}/{visit}", "data/KN-101", []string{"V1", "V2"}, []string{"", ""}, nil,
			nil, "KN-101/V1", "from data/KN-101 on"},
		{"part of a name", "KN-{subject}/V{visit}", "data/KN-101", []string{"V1"}, []string{""}, nil, nil, "101/1",
			"from KN-101 on"},
		{"inner folders", "{subject}/{visit}", "data/KN-101", []string{"V1/left", "V2/left"}, []string{"", ""}, nil,
			nil, "V1/left", `below the folder "KN-101" on, and only the folders identify the studies: ` +
				`the first one is subject "V1", visit "left"`},
		{"folders alone", "{subject}/{visit}", "data", []string{"KN-101/V1", "KN-102/V1"}, []string{"", ""}, nil, nil,
			"KN-101/V1", `below the folder "data" on`},
		{"PatientID", "{subject}/{visit}", "data", []string{"KN-101/V1", "KN-102/V1"}, []string{"", "KN-102"}, nil, nil,
			"KN-101/V1", ""},
	} {
		root := filepath.Join(t.TempDir(), filepath.FromSlash(c.searched))
		studies := studiesBelow(root, c.folders, c.ids, c.trial)
		s := Intake{Rules: Rules{Layout: c.layout}, Earlier: c.earlier}
		remarks := strings.Join(s.anchor(notices(studies)), "\n")
		if !strings.Contains(remarks, c.remark) || (c.remark == "") != (remarks == "") {
			t.Errorf("%s: remarks %q, want %q", c.name, remarks, c.remark)
		}
		switch id, err := s.identify(studies[0]); {
		case c.want == "" && (err == nil || !strings.Contains(hint.Find(err), "search one of those, or begin the "+
			"layout with the name of a folder")):
			t.Errorf("%s: %+v, %v, hint %q", c.name, id, err, hint.Find(err))
		case c.want != "" && (err != nil || id.Subject+"/"+id.Visit != c.want):
			t.Errorf("%s: %+v, %v, want %s", c.name, id, err, c.want)
		}
	}
}

func notices(studies []dicomio.Study) []Notice {
	var all []Notice
	for _, st := range studies {
		all = append(all, NoticeOf(st))
	}
	return all
}

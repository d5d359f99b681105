package intake

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/pipeline"
)

// identify finds the identity of a study: from the manifest, else from the layout, else from the clinical-trial
// attributes, else from PatientID and the name of its folder. It does not depend on which folder above the study was
// searched.
func (s *Intake) identify(st dicomio.Study) (pipeline.Identity, error) {
	switch {
	case s.manifest != nil:
		id, err := s.manifest.identify(st.Place)
		return withDisclosures(id, st), err
	case s.layout() != "":
		l, err := parseLayout(s.layout())
		if err != nil {
			return pipeline.Identity{}, err
		}
		id, err := l.identify(st.Place, s.levels[st.Root])
		return withDisclosures(id, st), err
	}
	folder := folderOf(st.Place)
	switch {
	case st.TrialSubject != "" && st.TrialTimepoint != "":
		id := pipeline.Identity{Subject: st.TrialSubject, Visit: st.TrialTimepoint,
			SourceText: "clinical-trial attributes"}
		s.code(&id, st, "ClinicalTrialSubjectID (0012,0040)")
		s.codeVisit(&id, st, "ClinicalTrialTimePointID (0012,0050)")
		return id, nil
	case st.TrialSubject != "":
		id := pipeline.Identity{Subject: st.TrialSubject, Visit: folder,
			SourceText: "ClinicalTrialSubjectID and folder name"}
		s.code(&id, st, "ClinicalTrialSubjectID (0012,0040)")
		s.codeVisit(&id, st, folderWords)
		return id, nil
	case st.PatientID != "":
		id := pipeline.Identity{Subject: st.PatientID, Visit: folder, SourceText: "PatientID and folder name"}
		s.code(&id, st, "PatientID (0010,0020)")
		s.codeVisit(&id, st, folderWords)
		return id, nil
	}
	id := pipeline.Identity{Subject: folder, SourceText: "folder name (PatientID is empty)",
		Source: pipeline.FromFolder}
	if d := st.Discloses(folder); d != "" && !s.acceptsPatientID() {
		id.Subject = codeOf(st.Place)
		id.Warnings = append(id.Warnings, disclosed(folderWords, d, "subject"))
	}
	return id, nil
}

// folderWords names the study's folder in warnings that otherwise name an attribute.
const folderWords = "the name of the study's folder"

// undecoded says that a code could not be decoded. Two people may then have the same code.
const undecoded dicomio.Disclosure = "holds characters that are not in the file's SpecificCharacterSet (0008,0005)"

// codeOf returns a code for a study without a code: the hash of its UID. It is not a hash of PatientID, because a
// name could be found by hashing all names.
func codeOf(st dicomio.Place) string { return "anon-" + st.Hash }

func (s *Intake) acceptsPatientID() bool { return s.AcceptPatientID || s.Protocol.AcceptPatientID }

// code replaces a subject that discloses the patient (see dicomio.Study.DisclosesAsID) by a code. If all images say
// that the patient's identity was removed, the attribute is a code.
func (s *Intake) code(id *pipeline.Identity, st dicomio.Study, attribute string) {
	d := st.DisclosesAsID(id.Subject)
	switch {
	case strings.ContainsRune(id.Subject, '\uFFFD'):
		d = undecoded // even if the patient's identity was removed
	case st.IdentityRemoved():
		return
	}
	if d == "" || s.acceptsPatientID() {
		return
	}
	id.Subject, id.SourceText = codeOf(st.Place), "the hash of the study, because "+attribute+" is not a code"
	id.Warnings = append(id.Warnings, disclosed(attribute, d, "subject"))
}

// codeVisit replaces a visit that discloses the patient, such as a date of birth, by a code.
func (s *Intake) codeVisit(id *pipeline.Identity, st dicomio.Study, source string) {
	d := st.Discloses(id.Visit)
	if d == "" || s.acceptsPatientID() || st.IdentityRemoved() && source != folderWords {
		return
	}
	id.Visit = codeOf(st.Place)
	id.Warnings = append(id.Warnings, disclosed(source, d, "visit"))
}

// disclosed is the warning that a code replaces the subject or the visit of a study. field is "subject" or "visit".
func disclosed(source string, d dicomio.Disclosure, field string) string {
	text := fmt.Sprintf("%s %s: the %s is a code made from the hash of the study instead. ", source, d, field)
	if field == "subject" {
		text += "Each visit becomes a subject of its own unless you name "
	} else {
		text += "Name "
	}
	text += "the study in a manifest (--manifest) or by its folders (--layout); --accept-patient-id uses the text " +
		"unchanged"
	if source == folderWords {
		text += ". Results name files by their folders: rename it"
	}
	return text
}

// withDisclosures adds a warning to an identity from a manifest or a layout that discloses the patient. The
// identity is not changed.
func withDisclosures(id pipeline.Identity, st dicomio.Study) pipeline.Identity {
	for _, c := range []struct{ field, code string }{{"subject", id.Subject}, {"visit", id.Visit}} {
		if d := st.Discloses(c.code); d != "" {
			id.Warnings = append(id.Warnings, fmt.Sprintf("the %s from the %s %s, and appears in every table: choose "+
				"a code that does not identify the patient", c.field, id.SourceText, d))
		}
	}
	return id
}

// folderOf returns the name of the study's folder, independent of which folder above it was searched.
func folderOf(st dicomio.Place) string {
	top := files.WithoutEndings(st.Top())
	if name := filepath.Base(top); name != "." && name != string(filepath.Separator) {
		return name
	}
	return filepath.Base(files.WithoutEndings(st.Name())) // its files have no common folder
}

func (s *Intake) layout() string { return cmp.Or(s.Layout, s.Protocol.Layout) }

package intake

import (
	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/pipeline"
)

// Notice is what the identities of other studies may depend on. It remains when the headers of a study are no longer
// in memory.
type Notice struct {
	dicomio.Place
	// MultiEcho reports that the study has a multi-echo series, or one that would be if its headers were right.
	MultiEcho bool
	// PatientID and TrialSubject are its codes. Secret says that one of them may identify the patient, so that they
	// must not be stored.
	PatientID, TrialSubject string
	Secret                  bool
}

// NoticeOf returns the notice of a study.
func NoticeOf(st dicomio.Study) Notice {
	return Notice{Place: st.Place, MultiEcho: st.MultiEcho(), PatientID: st.PatientID, TrialSubject: st.TrialSubject,
		Secret: st.DisclosesAsID(st.PatientID) != "" || st.DisclosesAsID(st.TrialSubject) != ""}
}

// Line is what a run must know of a study that it can map when its headers are no longer in memory.
type Line struct {
	Notice
	Identity pipeline.Identity
	// Series is the hash of the mapped series, and Side the side of its knee: left, right or empty.
	Series, Side string
	// Trains is the number of multi-echo series of the study.
	Trains int
	// Carried says that the mask is that of another visit.
	Carried bool
	// SeriesFolder is the visit or the subject if it is named after a series, and SubjectAsVisit the attribute that
	// names the subject as the layout names the visit; else they are empty.
	SeriesFolder, SubjectAsVisit string
	// Facts are those of pipeline.Job.Facts. Memory is the number of bytes that the study takes while it is mapped, and
	// LeastMemory that with one worker, which does not depend on the machine.
	Facts               string
	Memory, LeastMemory int64
}

// LineOf returns the line of a job that Choose has completed.
func LineOf(j pipeline.Job, workers int) Line {
	return Line{
		Notice: NoticeOf(j.Study), Identity: j.Identity, Series: KnownSeries(j), Side: j.Side(),
		Trains: len(j.Study.Trains), Carried: j.Carried, SeriesFolder: seriesFolder(j),
		SubjectAsVisit: subjectAsVisit(j), Facts: j.Facts(), Memory: j.Memory(workers),
		LeastMemory: j.Memory(1),
	}
}

// Knee returns the knee that the line describes.
func (l Line) Knee() Knee { return Knee{l.Hash, l.Series, l.Side} }

// Alike returns the names that several studies share because their files are in one folder.
func Alike(studies []Notice) map[string]bool {
	seen, alike := map[string]bool{}, map[string]bool{}
	for _, st := range studies {
		name := st.Name()
		if seen[name] {
			alike[name] = true
		}
		seen[name] = true
	}
	return alike
}

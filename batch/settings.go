package batch

import (
	"fmt"
	"log/slog"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

// Settings say what to run on. Rules of package intake explain the fields that both have.
type Settings struct {
	// Roots are the folders, or files, that are searched for studies.
	Roots []string
	// Out is the folder for results. It is made if it is missing, and never searched.
	Out string
	// Protocol is what the trial fixes.
	Protocol protocol.Protocol
	// Manifest is a CSV of study folders, or "".
	Manifest string
	// ManifestFormat is how the manifest is written; the zero value is a CSV with commas in UTF-8.
	ManifestFormat table.Format
	// AcceptPatientID takes PatientID and ClinicalTrialSubjectID as they are, though they repeat the
	// patient's name or hold a date.
	AcceptPatientID bool
	// Rename accepts that a study has another identity than its results in Out.
	Rename bool
	// Layout is a pattern of study folders below a root, such as
	// {subject}/{visit}, or ""; it goes before the protocol's.
	Layout string
	// Series picks the series in every study: a series number, the beginning (six
	// digits or more) of its hash or a pattern of its description; "" leaves it to
	// the protocol.
	Series string
	// Anatomy picks the series that maps are shown over, in the same words; "" leaves it
	// to the protocol, and there to the first echo of the series that is mapped.
	Anatomy string
	// Mask is a pattern of the mask's file name, or of its path below the study's
	// folder; it goes before the protocol's. "" means the usual names of label maps,
	// or the DICOM mask that was drawn on the series.
	Mask string
	// Grids is the folder into which Inspect writes the first echo of each study as NIfTI, so that
	// masks can be drawn on it; "" writes nothing.
	Grids string
	// Workers is the number of files read and of voxel slabs fitted at a time; 0
	// means one per processor. With 1, studies are taken one by one.
	Workers int
	// MemoryMB bounds the memory of the studies that are in progress at the same
	// time, in MiB; a study that needs more fails with a *pipeline.MemoryError. 0 means 1024; then a study
	// that needs more runs alone, and fails if it needs more than three quarters of the memory of the
	// machine or of the process's control group.
	MemoryMB int
	// Replace sets aside results of earlier runs that were made with other settings. Without it they are
	// an error.
	Replace bool
	// Wait waits for another run that writes into Out; otherwise such a run is an error.
	// Waiting, if not nil, is called once before the wait.
	Wait    bool
	Waiting func(Holder)
	// Progress, if not nil, is called as a stage proceeds. Calls do not overlap.
	Progress func(stage Stage, done, all int)
	// Log, if not nil, gets a line for each study, and remarks.
	Log *slog.Logger
}

// Stage is a part of a run, for progress.
type Stage string

// The stages of a run.
const (
	StageHeaders Stage = "reading headers"
	StageStudies Stage = "mapping studies"
)

// Outcome is what became of the studies of a run.
type Outcome struct {
	// Results are the studies that this run has mapped, in the order of their folders. Failures are those
	// that it could not map, and earlier results that cannot be read. NotDone are those that it did not
	// come to before it ended.
	Results  []report.Result
	Failures []report.Failure
	NotDone  []report.Failure
	// Unreadable are the failures that are results of earlier runs, which cannot be read or contradict
	// each other.
	Unreadable []report.Failure
	// Earlier are results of earlier runs below the output folder, which are in
	// the tables too.
	Earlier []report.Result
	// Listed are studies that earlier runs list as failed or not done, which this run has not
	// looked at. They are in the tables too.
	Listed []report.Failure
	// Damaged are the files that could not be read: those of a study, which fails, and those of an unknown
	// study, which together are one failure.
	Damaged []Problem
	// Remarks are what the user should know of the run although nothing failed. What speaks
	// against the numbers of a study is in the Warnings of its result.
	Remarks []string
	// Passed counts the files that belong to no study.
	Passed dicomio.Passed
	// Files is the number of files that were looked at.
	Files int
}

// NothingFoundError says that there was no study to work on.
type NothingFoundError struct {
	Files  int
	Passed dicomio.Passed
}

// Error says how many files were looked at and what they were.
func (e *NothingFoundError) Error() string {
	text := fmt.Sprintf("%d not DICOM, %d of other modalities, %d DICOMDIR", e.Passed.NotDICOM, e.Passed.OtherModality,
		e.Passed.DICOMDIR)
	if n := e.Passed.DanglingLinks; n > 0 {
		text += fmt.Sprintf(", %d links to nothing", n)
	}
	if n := e.Passed.Litter; n > 0 {
		text += fmt.Sprintf("; besides %d that operating systems left, such as ._* and .DS_Store", n)
	}
	return fmt.Sprintf("no MR study found in %d files (%s)", e.Files, text)
}

func (s Settings) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func (s Settings) progress(stage Stage) func(done, all int) {
	if s.Progress == nil {
		return nil
	}
	return func(done, all int) { s.Progress(stage, done, all) }
}

// rules returns the rules by which the questions about studies are answered.
func (s Settings) rules() intake.Rules {
	return intake.Rules{
		Protocol: s.Protocol, Manifest: s.Manifest, ManifestFormat: s.ManifestFormat,
		AcceptPatientID: s.AcceptPatientID, Layout: s.Layout, Series: s.Series, Anatomy: s.Anatomy, Mask: s.Mask,
		Memory: s.bound(),
	}
}

package batch

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

// Settings describe a run. intake.Rules explains the fields that both types have.
type Settings struct {
	// Roots are the folders, or files, that are searched for studies.
	Roots []string
	// Out is the folder for results. It is created if it does not exist, and never searched.
	Out string
	// Protocol holds the settings that the trial fixes.
	Protocol protocol.Protocol
	// Manifest is a CSV of study folders, or "".
	Manifest string
	// ManifestFormat is the format of the manifest. The zero value is a CSV with commas in UTF-8.
	ManifestFormat table.Format
	// AcceptPatientID accepts a PatientID or ClinicalTrialSubjectID that repeats the patient's name or holds a date.
	AcceptPatientID bool
	// Rename accepts studies whose identity differs from that of their results in Out.
	Rename bool
	// Layout is a pattern of study folders below a root, such as {subject}/{visit}, or "". It overrides the layout of
	// the protocol.
	Layout string
	// Series selects the series of every study: a series number, the beginning of its hash (six digits or more) or a
	// pattern of its description. The default is the series of the protocol.
	Series string
	// Anatomy selects the background of maps like Series. The default is the anatomy of the protocol, and without one
	// the first echo of the mapped series.
	Anatomy string
	// Mask is a pattern of the mask's file name, or of its path below the study's folder. It overrides the pattern of
	// the protocol. The default is the usual names of label maps, or the DICOM mask that was drawn on the series.
	Mask string
	// Grids is the folder into which Inspect writes the first echo of each study as NIfTI, to draw masks on. With ""
	// it writes nothing.
	Grids string
	// Workers is the number of files read and of voxel slabs fitted at a time; 0 means one per processor. With 1,
	// only one study is processed at a time.
	Workers int
	// MemoryMB limits the memory in MiB of all studies in progress. A study that needs more fails with a
	// *pipeline.MemoryError. 0 means 1024, but then a study that needs more runs alone, and fails only if it needs
	// more than three quarters of the memory of the machine or of the process's control group.
	MemoryMB int
	// VerifyInputs reads all inputs of the studies that are done and compares them with the hashes in the results.
	// Otherwise files with the size and the time that they had in an earlier run are taken to be unchanged.
	VerifyInputs bool
	// Force maps every study, also those whose results are of the same files and settings.
	Force bool
	// DryRun decides what would be done with each study and writes nothing.
	DryRun bool
	// Shard is the part of the studies that the run maps. It then writes no tables, see Merge.
	Shard Shard
	// MaxFailures ends the run when so many studies have failed; 0 means no limit.
	MaxFailures int
	// Options are the options of the command, as in "--scheme skm-tea", for the audit record.
	Options []string
	// Replace moves results of earlier runs that were made with other settings to the superseded ones. Without it they
	// are an error.
	Replace bool
	// Wait waits for another run that writes to Out; otherwise such a run is an error. Waiting, if not nil, is called
	// once before the wait.
	Wait    bool
	Waiting func(Holder)
	// Stored, if not nil, is called when a study's folder is complete. earlier is the folder to which the result that it
	// replaces was moved when it was written, or "". Stored may be called concurrently. Its error is that of the study,
	// or ends the run if ctx has ended.
	Stored func(dir, earlier string) error
	// Chosen, if not nil, is called for each study that could be mapped, in the order of their folders, before any is
	// mapped.
	Chosen func(Choice)
	// Mapped, if not nil, is called with the result of each study that the run has mapped, one call at a time. It must
	// not keep results if the number of studies is large.
	Mapped func(report.Result)
	// Progress, if not nil, is called as a stage proceeds, one call at a time.
	Progress func(stage Stage, done, all int)
	// Log, if not nil, gets a line for each study.
	Log *slog.Logger

	planPatience time.Duration // for tests; 0 is the constant of this name
}

// Stage is a part of a run.
type Stage string

// The stages of a run.
const (
	StageHeaders Stage = "reading headers"
	StageResults Stage = "comparing results"
	StageStudies Stage = "mapping studies"
)

// Outcome is the outcome of a run.
type Outcome struct {
	// Mapped is the number of studies that this run has mapped; see Settings.Mapped. Failures are the studies that it
	// could not map, and earlier results that cannot be read. NotDone are the studies that were left when the run
	// ended early.
	Mapped   int
	Failures []report.Failure
	NotDone  []report.Failure
	// Unreadable are the failures that are results of earlier runs: they cannot be read, or contradict each other.
	Unreadable []report.Failure
	// Studies is the number of studies of the run, of all shards.
	Studies int
	// Merged counts the shards of Merge.
	Merged Merged
	// Choices counts the studies that could be mapped by the reason why they were mapped, or were not.
	Choices map[Why]int
	// Earlier is the number of results of earlier runs that are in the tables.
	Earlier int
	// Listed are studies that earlier runs have listed as failed or not done and that this run has not found. They
	// are in the tables, too.
	Listed []report.Failure
	// Damaged are the files that could not be read. A damaged file of a study fails that study; those of an unknown
	// study are one failure together.
	Damaged []Problem
	// Remarks are notes on the run that are not failures. Doubts about the values of a study are in the Warnings of
	// its result.
	Remarks []string
	// Passed counts the files that belong to no study.
	Passed dicomio.Passed
	// Files is the number of files that were looked at.
	Files int
}

// Merged is the number of shards of a run, and of those that have ended.
type Merged struct{ Shards, Ended int }

// NothingFoundError says that no study was found.
type NothingFoundError struct {
	Files  int
	Passed dicomio.Passed
}

// Error gives the numbers of files by kind.
func (e *NothingFoundError) Error() string {
	text := fmt.Sprintf("%d not DICOM, %d of other modalities, %d DICOMDIR", e.Passed.NotDICOM, e.Passed.OtherModality,
		e.Passed.DICOMDIR)
	if n := e.Passed.DanglingLinks; n > 0 {
		text += fmt.Sprintf(", %d broken links", n)
	}
	if n := e.Passed.Litter; n > 0 {
		text += fmt.Sprintf(", %d system files such as ._* and .DS_Store", n)
	}
	return fmt.Sprintf("no MR study found in %d files (%s)", e.Files, text)
}

// Advice is the hint of the error, see package hint.
func (e *NothingFoundError) Advice() string {
	return "name the folder that holds the studies: DICOM MR images, also in archives"
}

func (s Settings) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// oneAtATime returns a function that calls report once at a time: headers are read while studies are mapped.
func oneAtATime(report func(stage Stage, done, all int)) func(stage Stage, done, all int) {
	if report == nil {
		return nil
	}
	var mu sync.Mutex
	return func(stage Stage, done, all int) {
		mu.Lock()
		defer mu.Unlock()
		report(stage, done, all)
	}
}

func (s Settings) progress(stage Stage) func(done, all int) {
	if s.Progress == nil {
		return nil
	}
	return func(done, all int) { s.Progress(stage, done, all) }
}

// rules returns the rules for the identity, the series and the mask of studies.
func (s Settings) rules() intake.Rules {
	return intake.Rules{
		Protocol: s.Protocol, Manifest: s.Manifest, ManifestFormat: s.ManifestFormat,
		AcceptPatientID: s.AcceptPatientID, Layout: s.Layout, Series: s.Series, Anatomy: s.Anatomy, Mask: s.Mask,
		Memory: s.bound(),
	}
}

package batch

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// Runs whose studies wait in a file end as those whose studies wait in memory.
func TestStudiesWaitInAFile(t *testing.T) {
	before := mostWaiting
	mostWaiting = 0
	defer func() { mostWaiting = before }()
	tests := map[string]func(*testing.T){"resumed": TestResume, "carried masks": TestManyCarriedMasks,
		"changed in a shard": TestShardsOfChangedFile, "interrupted": TestInterruptedRenaming}
	if !testing.Short() {
		maps.Copy(tests, map[string]func(*testing.T){"not read": TestUnchangedFilesAreNotRead, "shards": TestShards,
			"disk full": TestDiskFull, "failures": TestMaxFailures, "killed": TestKilledRun})
	}
	for name, test := range tests {
		t.Run(name, test)
	}
}

// A large cohort waits in a file without codes of patients. If the file is damaged, the run ends with an error, and a
// shard does not count as ended.
func TestDamagedQueueFile(t *testing.T) {
	before := mostWaiting
	mostWaiting = 0
	defer func() { mostWaiting = before }()
	s := sharded(t)
	s.Shard = Shard{1, 1}
	var text []byte
	s.Progress = func(stage Stage, done, _ int) {
		if stage != StageStudies || done > 0 {
			return
		}
		names, err := filepath.Glob(filepath.Join(s.Out, stateFolder, ".queue-*.json"))
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		if text, err = os.ReadFile(names[0]); err == nil {
			err = os.WriteFile(names[0], []byte("{}\n"), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := Run(t.Context(), s); err == nil || out.Mapped > 0 {
		t.Errorf("%d mapped, %v", out.Mapped, err)
	}
	if !bytes.Contains(text, []byte(`"PatientID":""`)) || bytes.Contains(text, []byte(`"PatientID":"S`)) {
		t.Errorf("%s", text)
	}
	if _, err := Merge(t.Context(), s, false); err == nil {
		t.Error("the shard counts as ended")
	}
}

// The file of waiting studies is removed, and another program cannot mislead a run by changing it.
func TestQueueFile(t *testing.T) {
	dir := t.TempDir()
	chunks := []*chunk{{number: 0}, {number: 1}}
	source := &study{chunk: chunks[0], dir: "b", seen: &sighting{}}
	source.Line = &source.seen.Line
	source.Hash = "b"
	one := &study{chunk: chunks[1], dir: "a", seen: &sighting{outside: &stamp{Path: "mask"}}, source: source}
	one.Line = &one.seen.Line
	one.Hash, one.Identity.Subject = "a", "S01"
	one.warn("doubtful")
	q := &queue{chunks: chunks, parts: []*queued{
		{chunk: chunks[0], studies: []*study{source}}, {chunk: chunks[1], studies: []*study{one, source}},
	}}
	if err := q.store(filepath.Join(dir, "absent")); err == nil || q.file != nil {
		t.Error("stored in a folder that is not there: ", err)
	}
	if got, err := q.take(q.parts[1]); err != nil || len(got) != 2 || got[0] != one {
		t.Errorf("after the error: %+v, %v", got, err)
	}
	if err := q.store(dir); err != nil {
		t.Fatal(err)
	}
	got, err := q.take(q.parts[1])
	if err != nil || len(got) != 2 || got[1].Hash != "b" || got[1].chunk != chunks[0] {
		t.Fatalf("%+v, %v", got, err)
	}
	if st := got[0]; st.Hash != "a" || st.Identity.Subject != "S01" || st.dir != "a" || st.chunk != chunks[1] ||
		st.source.Hash != "b" || st.source.chunk != chunks[0] || st.source.source != nil || len(st.warnings) != 1 ||
		st.seen.outside.Path != "mask" || st.Line != &st.seen.Line {
		t.Errorf("%+v", st)
	}
	if _, err := q.file.WriteAt([]byte("x"), q.parts[1].first); err != nil {
		t.Fatal(err)
	}
	if got, err := q.take(q.parts[1]); err == nil {
		t.Errorf("accepted: %+v", got)
	}
	q.close()
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

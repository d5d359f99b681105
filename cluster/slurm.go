package cluster

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// Slurm is a run as an array job of Slurm, and a job that merges when all tasks of the array have succeeded.
type Slurm struct {
	Job
	// Partition, Account and Time are the options of sbatch of these names, or "".
	Partition, Account, Time string
	// Sbatch are more options of sbatch, such as "--qos=night".
	Sbatch []string
	// Grace is the time in seconds before the time limit at which a shard is told to end; 0 means 120. Slurm may be
	// early by a minute.
	Grace int
}

// Script is a file to write.
type Script struct{ Name, Text string }

// The names of the scripts.
const (
	ArrayScript  = "array.sh"
	MergeScript  = "merge.sh"
	SubmitScript = "submit.sh"
)

var (
	//go:embed array.sh.tmpl
	arrayText string
	//go:embed merge.sh.tmpl
	mergeText string
	//go:embed requeue.sh.tmpl
	requeueText string
	//go:embed submit.sh.tmpl
	submitText string
)

// isValue matches the values that lines with #SBATCH may have without quotes.
var isValue = regexp.MustCompile(`^[A-Za-z0-9_.:,@+-]+$`)

// Scripts returns the script of the array, that of the merge, and the one that submits both from the folder in which
// they lie.
func (s Slurm) Scripts() ([]Script, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	for _, option := range [][2]string{{"partition", s.Partition}, {"account", s.Account}, {"time", s.Time}} {
		if option[1] != "" && (!isValue.MatchString(option[1]) || strings.HasPrefix(option[1], "-")) {
			return nil, fmt.Errorf("%q is not a valid %s for Slurm", option[1], option[0])
		}
	}
	if s.Grace == 0 {
		s.Grace = 120 // a large study takes some seconds, and Slurm then waits for KillWait, 30 s by default
	}
	var scripts []Script
	for _, one := range [][2]string{{ArrayScript, arrayText}, {MergeScript, mergeText}, {SubmitScript, submitText}} {
		t, err := template.New(one[0]).Funcs(template.FuncMap{"quote": Quote, "words": words}).
			Parse(requeueText + one[1])
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		if err := t.Execute(&b, s); err != nil {
			return nil, err
		}
		scripts = append(scripts, Script{one[0], b.String()})
	}
	return scripts, nil
}

// Array is the range of the tasks.
func (s Slurm) Array() string {
	if s.Parallel > 0 {
		return fmt.Sprintf("1-%d%%%d", s.Shards, s.Parallel)
	}
	return fmt.Sprintf("1-%d", s.Shards)
}

// Quote quotes a word for a POSIX shell: within single quotes, no character has a meaning but the single quote.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// isPlain matches words that need no quotes in a shell.
var isPlain = regexp.MustCompile(`^[A-Za-z0-9_./:,=@+-]+$`)

// words joins words to a command line.
func words(list []string) string {
	var quoted []string
	for _, text := range list {
		if !isPlain.MatchString(text) {
			text = Quote(text)
		}
		quoted = append(quoted, text)
	}
	return strings.Join(quoted, " ")
}

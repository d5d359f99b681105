package protocol

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/segmenter"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// Segmenter is a program that makes the mask of each study from one of its series. The zero value means that there is
// no such program.
type Segmenter struct {
	// Command is the program and its arguments, with placeholders: {input} is the image, {output} the label map,
	// {dir} the scratch folder that holds both, {protocol} the folder of the protocol.
	Command []string
	// Version is a command that prints the program's version; if it is empty, the program's files are hashed.
	Version []string
	// Input selects the series that the program gets: a number, the beginning of a hash or a pattern of the
	// description. Empty means the first echo of the mapped series.
	Input string
	// Scheme gives the labels their meaning; the zero value means Protocol.Scheme.
	Scheme segment.Scheme
	// Timeout is the time limit for one study; 0 means 30 minutes.
	Timeout time.Duration

	folder  string // of the protocol
	program program
}

// program is the program of a Segmenter on this machine.
type program struct {
	path, versionPath string
	version           string
	files             []report.File // the executable and the files that the command names, if there is no version
	identified        bool          // version or files are set
}

const (
	// defaultTimeout is several times as long as a network needs for a knee without a graphics processor.
	defaultTimeout = 30 * time.Minute
	// versionTime is long enough to load a library of networks from a slow disk.
	versionTime = 2 * time.Minute
	// mostScratch limits the scratch folder of a study: the probabilities of ten classes on 512 × 512 × 160 voxels
	// take 1.6 GiB in float32, and a program may write them twice, before and after resampling.
	mostScratch = 8 << 30
)

// segmentFile holds the keys of a Segmenter in YAML.
type segmentFile struct {
	Command []string `yaml:"command"`
	Version []string `yaml:"version"`
	Input   string   `yaml:"input"`
	Scheme  string   `yaml:"scheme"`
	Timeout string   `yaml:"timeout"`
}

// segmenter returns the program that the keys describe. folder is the folder of the protocol.
func (f *segmentFile) segmenter(folder string) (Segmenter, error) {
	var s Segmenter
	if f == nil {
		return s, nil
	}
	s = Segmenter{Command: f.Command, Version: f.Version, Input: f.Input, folder: files.Absolute(folder)}
	var err error
	if f.Scheme != "" {
		if s.Scheme, err = ReadScheme(f.Scheme, folder); err != nil {
			return s, fmt.Errorf("segment: %w", err)
		}
	}
	if f.Timeout != "" {
		if s.Timeout, err = time.ParseDuration(f.Timeout); err != nil || s.Timeout <= 0 {
			return s, fmt.Errorf("segment: timeout: %q is not a positive time with its unit, such as 45m or 2h",
				f.Timeout)
		}
	}
	if len(s.Command) == 0 {
		return s, hint.Errorf(hintCommand, "segment: command is missing")
	}
	return s, nil
}

const hintCommand = `write the program and each of its arguments as one item of a list, ` +
	`as in command: [my-segmenter, "{input}", "{output}"]`

// Named reports whether there is a program.
func (s Segmenter) Named() bool { return len(s.Command) > 0 }

// check returns an error if a setting is not valid.
func (s Segmenter) check() error {
	if !s.Named() {
		return nil
	}
	used := segmenter.Placeholders(s.Command)
	known := []string{"{input}", "{output}", "{dir}", "{protocol}"}
	for _, p := range used {
		if !slices.Contains(known, p) {
			return fmt.Errorf("segment: command: %s is not one of %s", p, strings.Join(known, ", "))
		}
	}
	for _, p := range segmenter.Placeholders(s.Version) {
		if p != "{protocol}" {
			return fmt.Errorf("segment: version: %s cannot be used here: the version command runs once for all studies",
				p)
		}
	}
	for _, p := range known[:2] {
		if !slices.Contains(used, p) && !slices.Contains(used, "{dir}") {
			return hint.Errorf(hintCommand, "segment: command has neither %s nor {dir}: the program would not know "+
				"this path", p)
		}
	}
	for _, a := range slices.Concat(s.Command, s.Version) {
		if strings.ContainsRune(a, 0) {
			return fmt.Errorf("segment: the argument %q contains a zero byte", printable.Short(a))
		}
	}
	if s.Timeout < 0 {
		return fmt.Errorf("segment: timeout %s is negative", s.Timeout)
	}
	return nil
}

// Find searches for the program, and for the files in the protocol's folder that its command names. It runs nothing.
func (s Segmenter) Find() (Segmenter, error) {
	if !s.Named() || s.program.path != "" {
		return s, nil
	}
	const advice = "install it, or correct the name: a name without a slash is searched for in PATH, and a relative " +
		"path starts at the protocol's folder"
	var err error
	if s.program.path, err = segmenter.Find(s.inProtocol(s.Command)[0], s.folder); err != nil {
		return s, hint.Errorf(advice, "segment: command: %w", err)
	}
	if len(s.Version) > 0 {
		if s.program.versionPath, err = segmenter.Find(s.inProtocol(s.Version)[0], s.folder); err != nil {
			return s, hint.Errorf(advice, "segment: version: %w", err)
		}
	}
	for n, a := range s.inProtocol(s.Command) {
		if _, err := os.Stat(a); errors.Is(err, os.ErrNotExist) && strings.HasPrefix(s.Command[n], "{protocol}") {
			return s, hint.Errorf("{protocol} is the folder of the protocol file", "segment: command: %s does not "+
				"exist", printable.Short(s.Command[n]))
		}
	}
	return s, nil
}

// inProtocol replaces {protocol} in the arguments.
func (s Segmenter) inProtocol(args []string) []string {
	return segmenter.Expand(args, map[string]string{"{protocol}": s.folder})
}

// Identify finds the program and its version, or the hashes of its files. A result that is already identified is
// returned unchanged.
func (s Segmenter) Identify(ctx context.Context) (Segmenter, error) {
	s, err := s.Find()
	if err != nil || !s.Named() || s.program.identified {
		return s, err
	}
	if len(s.Version) > 0 {
		s.program.version, err = s.askVersion(ctx)
	} else {
		s.program.files, err = s.hashFiles(ctx)
	}
	s.program.identified = err == nil
	return s, err
}

func (s Segmenter) askVersion(ctx context.Context) (_ string, err error) {
	scratch, err := segmenter.NewScratch()
	if err != nil {
		return "", fmt.Errorf("segment: scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, scratch.Remove()) }()
	argv := append([]string{s.program.versionPath}, s.inProtocol(s.Version)[1:]...)
	line, err := segmenter.FirstLine(ctx, argv, scratch, segmenter.Limits{Time: versionTime, Bytes: mostScratch})
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", hint.Errorf("run the command of `version` by hand; without `version` the program's files are "+
			"hashed instead", "segment: version: %w", &ProgramError{ProgramName(s.Version), err})
	}
	return printable.Short(line), nil
}

// hashFiles hashes the executable and the files that the command names by absolute paths or below {protocol}, such as
// a script or a file of weights. Files that these load are not hashed.
func (s Segmenter) hashFiles(ctx context.Context) ([]report.File, error) {
	paths := []string{s.program.path}
	for _, a := range s.inProtocol(s.Command)[1:] {
		if info, err := os.Stat(a); err == nil && filepath.IsAbs(a) && info.Mode().IsRegular() &&
			!slices.Contains(paths, a) {
			paths = append(paths, a)
		}
	}
	var out []report.File
	for _, p := range paths {
		sum, err := hashFile(ctx, p)
		if err != nil {
			return nil, hint.Errorf("check that it can be read, or name a command that prints the program's version "+
				"under `version`", "segment: command: %w", err)
		}
		out = append(out, report.File{Path: printable.Short(filepath.Base(p)), SHA256: sum})
	}
	return out, nil
}

func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	for buf := make([]byte, 1<<20); err == nil; {
		var n int
		n, err = f.Read(buf)
		sum.Write(buf[:n])
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
	if !errors.Is(err, io.EOF) {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// Arguments returns the program and its arguments, with the placeholders replaced by the given values.
func (s Segmenter) Arguments(values map[string]string) []string {
	values["{protocol}"] = s.folder
	return append([]string{s.program.path}, segmenter.Expand(s.Command, values)[1:]...)
}

// Limits are the limits of the program for one study.
func (s Segmenter) Limits() segmenter.Limits {
	return segmenter.Limits{Time: s.timeout(), Bytes: mostScratch}
}

func (s Segmenter) timeout() time.Duration {
	if s.Timeout == 0 {
		return defaultTimeout
	}
	return s.Timeout
}

// record is the description of the program in results; nil if there is no program.
func (s Segmenter) record() *report.Segmenter {
	if !s.Named() {
		return nil
	}
	return &report.Segmenter{Command: shownCommand(s.Command), Version: s.program.version, Files: s.program.files,
		Input: printable.Short(s.Input), TimeoutS: s.timeout().Seconds()}
}

// shownCommand returns a command that may be shown. Only the last part of a path is kept: the path of a program may
// name a user, and has no influence on its results.
func shownCommand(command []string) []string {
	out := make([]string, len(command))
	for n, a := range command {
		option, value := "", a
		if equals := strings.LastIndex(a, "="); equals >= 0 {
			option, value = a[:equals+1], a[equals+1:]
		}
		if n == 0 || filepath.IsAbs(value) || strings.HasPrefix(value, "{protocol}") {
			value = filepath.Base(filepath.FromSlash(value))
		}
		out[n] = printable.Short(option + value)
	}
	return out
}

// ProgramName names a program for people. If the first argument is the path of a script, the script is named too.
func ProgramName(command []string) string {
	shown := shownCommand(command)
	if len(command) > 1 && shown[1] != printable.Short(command[1]) && !strings.Contains(command[1], "=") {
		return shown[0] + " " + shown[1]
	}
	return shown[0]
}

// ProgramError says that a program failed to make a mask or to print its version.
type ProgramError struct {
	// Program is its name.
	Program string
	Err     error
}

// Error names the program.
func (e *ProgramError) Error() string { return fmt.Sprintf("program %s: %v", e.Program, e.Err) }

// Unwrap returns the cause.
func (e *ProgramError) Unwrap() error { return e.Err }

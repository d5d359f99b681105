package segmenter

import (
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

var (
	errBatchFile = errors.New("is a batch file, which Windows runs in a shell; name the program that it starts")
	errAbsent    = errors.New("is not installed: the file does not exist or is not executable")
	errNoName    = errors.New("names no program")
)

// Find returns the absolute path of a program. A name with a slash (or the system's separator) is a path, relative to
// the folder. Any other name is searched for in PATH.
//
// The error is a *NotFoundError, if no executable file is found or if the file is a batch file of Windows, which
// needs a shell.
func Find(name, folder string) (string, error) {
	path := name
	switch {
	case strings.TrimSpace(name) == "":
		return "", &NotFoundError{Name: name, Err: errNoName}
	case filepath.IsAbs(name):
	case strings.ContainsAny(name, `/`+string(filepath.Separator)):
		path = filepath.Join(folder, name)
	}
	found, err := exec.LookPath(path)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err != nil {
		return "", &NotFoundError{Name: name, Err: errAbsent}
	}
	if ext := strings.ToLower(filepath.Ext(found)); runtime.GOOS == "windows" && (ext == ".bat" || ext == ".cmd") {
		return "", &NotFoundError{Name: name, Err: errBatchFile}
	}
	return found, nil
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// Placeholders returns the words in braces in the arguments, such as {input}, in their order. Braces around other
// text, as in JSON, are not placeholders.
func Placeholders(args []string) []string {
	var out []string
	for _, a := range args {
		out = append(out, placeholder.FindAllString(a, -1)...)
	}
	return out
}

// Expand replaces the placeholders in the arguments by their values. A placeholder without a value is not changed.
// Values are not expanded again, and each argument remains one argument, whatever its value is.
func Expand(args []string, values map[string]string) []string {
	out := make([]string, len(args))
	for n, a := range args {
		out[n] = placeholder.ReplaceAllStringFunc(a, func(p string) string {
			if v, ok := values[p]; ok {
				return v
			}
			return p
		})
	}
	return out
}

package cluster

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/t2map/t2map/objects"
)

// Kubernetes is a run as an indexed job, and a job that merges. Program and Folder of the Job are not used, and the
// paths are those in the containers.
type Kubernetes struct {
	Job
	Image string
	// Namespace is that of the jobs, or "".
	Namespace string
	Volumes   []Volume
	// Secret holds the credentials of buckets as variables of the environment, or is "".
	Secret string
}

// isSecret matches the names of secrets, which are DNS subdomains.
var isSecret = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// Volume is a persistent volume claim and the folder at which containers see it.
type Volume struct {
	Claim, Folder string
	ReadOnly      bool
}

// ParseVolume parses CLAIM:FOLDER or CLAIM:FOLDER:ro.
func ParseVolume(text string) (Volume, error) {
	claim, folder, _ := strings.Cut(text, ":")
	folder, isReadOnly := strings.CutSuffix(folder, ":ro")
	if !isName.MatchString(claim) || !path.IsAbs(folder) || path.Clean(folder) == "/" {
		return Volume{}, fmt.Errorf("%q is not CLAIM:FOLDER or CLAIM:FOLDER:ro, with the path of the folder in the "+
			"container, such as studies:/data:ro", text)
	}
	return Volume{claim, path.Clean(folder), isReadOnly}, nil
}

// The names of the manifests.
const (
	ShardsManifest = "shards.yaml"
	MergeManifest  = "merge.yaml"
)

//go:embed job.yaml.tmpl
var manifestText string

// manifest is one of the two jobs, for the template.
type manifest struct {
	Kubernetes
	IsMerge bool
}

// Manifests returns the two jobs. The second one must be created when the first one is complete.
func (k Kubernetes) Manifests() ([]Script, error) {
	k.Program, k.Folder = "", ""
	if err := k.check(); err != nil {
		return nil, err
	}
	if err := k.checkPaths(); err != nil {
		return nil, err
	}
	t, err := template.New("").Funcs(template.FuncMap{"json": jsonText, "literal": literal}).Parse(manifestText)
	if err != nil {
		return nil, err
	}
	var scripts []Script
	for _, name := range []string{ShardsManifest, MergeManifest} {
		var b strings.Builder
		if err := t.Execute(&b, manifest{k, name == MergeManifest}); err != nil {
			return nil, err
		}
		scripts = append(scripts, Script{name, b.String()})
	}
	return scripts, nil
}

func (k Kubernetes) checkPaths() error {
	if k.Image == "" {
		return fmt.Errorf("the image is not named")
	}
	if k.CPUs == 0 || k.MemoryMB == 0 {
		return fmt.Errorf("the processors or the memory of a shard are not given")
	}
	if k.Namespace != "" && !isName.MatchString(k.Namespace) {
		return fmt.Errorf("the namespace %q is not made of lower-case letters, digits and hyphens", k.Namespace)
	}
	if k.Secret != "" && !isSecret.MatchString(k.Secret) {
		return fmt.Errorf("the secret %q is not made of lower-case letters, digits, hyphens and dots", k.Secret)
	}
	for _, text := range append(append([]string{k.Image, k.Out}, k.Studies...), k.Options...) {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%q is not UTF-8, which a manifest must be", text)
		}
	}
	for _, p := range append([]string{k.Out}, k.Studies...) {
		v := k.volumeOf(p)
		switch {
		case p != k.Out && objects.Is(p): // studies in a bucket
		case v == nil:
			return fmt.Errorf("%q is not in the folder of a volume, so no container sees it", p)
		case v.ReadOnly && p == k.Out:
			return fmt.Errorf("%q is in a volume that is mounted read-only", p)
		}
	}
	seen := map[string]bool{"/tmp": true}
	for _, v := range k.Volumes {
		if seen[v.Folder] {
			return fmt.Errorf("two volumes have the folder %s", v.Folder)
		}
		seen[v.Folder] = true
	}
	return nil
}

// volumeOf returns the volume that holds a path, or nil.
func (k Kubernetes) volumeOf(p string) *Volume {
	var best *Volume
	for n, v := range k.Volumes {
		if path.IsAbs(p) && strings.HasPrefix(path.Clean(p)+"/", v.Folder+"/") &&
			(best == nil || len(v.Folder) > len(best.Folder)) {
			best = &k.Volumes[n]
		}
	}
	return best
}

// Command returns the arguments of the container.
func (m manifest) Command() []string {
	if m.IsMerge {
		return append([]string{"merge"}, m.MergeArguments()...)
	}
	return append([]string{"run", fmt.Sprintf("--workers=%d", m.CPUs), fmt.Sprintf("--memory=%d", budget(m.MemoryMB))},
		m.Arguments()...)
}

// MostAtOnce is the number of shards at a time.
func (m manifest) MostAtOnce() int {
	if m.Parallel > 0 {
		return min(m.Parallel, m.Shards)
	}
	return m.Shards
}

// jsonText quotes a text as YAML and JSON do.
func jsonText(text string) (string, error) {
	out, err := json.Marshal(text)
	return string(out), err
}

// literal protects dollar signs, with which Kubernetes refers to variables of the environment.
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

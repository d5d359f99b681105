package cluster

import (
	"strings"
	"testing"
)

func kubernetes() Kubernetes {
	return Kubernetes{Job: Job{Name: "trial-7", Studies: []string{"/data/a \"b\" $(HOME): #\n- x", "/data/é", "s3://trial/b"},
		Out: "/results/trial", Options: []string{"--mask", "*.nii"}, Shards: 8, Parallel: 4, CPUs: 2, MemoryMB: 4096},
		Image: "registry.example.org/t2map:1", Namespace: "lab", Secret: "buckets",
		Volumes: []Volume{{"studies", "/data", true}, {"results", "/results", false}}}
}

func TestManifests(t *testing.T) {
	manifests, err := kubernetes().Manifests()
	golden(t, "kubernetes", manifests, err)
}

func TestManifestMistakes(t *testing.T) {
	for name, spoil := range map[string]func(*Kubernetes){
		"no image":         func(k *Kubernetes) { k.Image = "" },
		"no memory":        func(k *Kubernetes) { k.MemoryMB = 0 },
		"outside":          func(k *Kubernetes) { k.Studies = []string{"/other"} },
		"beside":           func(k *Kubernetes) { k.Studies = []string{"/database"} },
		"above":            func(k *Kubernetes) { k.Studies = []string{"/data/../x"} },
		"relative":         func(k *Kubernetes) { k.Out = "results" },
		"read-only":        func(k *Kubernetes) { k.Out = "/data/results" },
		"namespace":        func(k *Kubernetes) { k.Namespace = "a\nb: c" },
		"secret":           func(k *Kubernetes) { k.Secret = "a\nb: c" },
		"out in a bucket":  func(k *Kubernetes) { k.Out = "s3://trial/results" },
		"same folder":      func(k *Kubernetes) { k.Volumes = append(k.Volumes, Volume{"x", "/data", false}) },
		"temporary folder": func(k *Kubernetes) { k.Volumes = append(k.Volumes, Volume{"x", "/tmp", false}) },
		"not UTF-8":        func(k *Kubernetes) { k.Options = []string{"\xff"} },
	} {
		k := kubernetes()
		spoil(&k)
		if _, err := k.Manifests(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseVolume(t *testing.T) {
	for text, want := range map[string]Volume{
		"studies:/data:ro": {"studies", "/data", true}, "results:/a/b/": {"results", "/a/b", false},
		"results": {}, "results:": {}, "results:a": {}, ":/a": {}, "A:/a": {}, "a:/": {}, "a b:/c": {},
	} {
		v, err := ParseVolume(text)
		if v != want || (err == nil) != (want != Volume{}) {
			t.Errorf("%s: %+v, %v", text, v, err)
		}
		if err != nil && !strings.Contains(err.Error(), "CLAIM:FOLDER") {
			t.Error(err)
		}
	}
}

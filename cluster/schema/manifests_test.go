// Package schema compares the manifests that t2map writes with the types of Kubernetes. It is a module of its own, so
// that these are not part of t2map.
package schema

import (
	"os"
	"path/filepath"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"
)

// The manifests have no field that Kubernetes does not know, no field twice, and values of the right types.
func TestManifests(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "kubernetes", "*.yaml"))
	if err != nil || len(paths) != 2 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var job batchv1.Job
		if err := yaml.UnmarshalStrict(data, &job); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		pod := job.Spec.Template.Spec
		if job.APIVersion != "batch/v1" || job.Kind != "Job" || len(pod.Containers) != 1 || len(pod.Volumes) != 3 ||
			*pod.SecurityContext.RunAsUser == 0 || !*pod.Containers[0].SecurityContext.ReadOnlyRootFilesystem ||
			pod.Containers[0].Resources.Limits.Memory().Value() != 4096<<20 {
			t.Errorf("%s: %+v", path, job)
		}
		args := pod.Containers[0].Args
		if args[0] == "run" {
			if *job.Spec.CompletionMode != batchv1.IndexedCompletion || *job.Spec.Completions != 8 ||
				args[len(args)-3] != "/data/a \"b\" $$(HOME): #\n- x" ||
				pod.Containers[0].EnvFrom[0].SecretRef.Name != "buckets" {
				t.Errorf("%s: %q %v", path, args, pod.Containers[0].EnvFrom)
			}
		}
	}
}

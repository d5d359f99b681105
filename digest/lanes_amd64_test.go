package digest

import "golang.org/x/sys/cpu"

// kernels returns those that this processor can run, fastest or not.
func kernels() map[string]kernel {
	k := map[string]kernel{"standard library": nil}
	if cpu.X86.HasAVX2 {
		k["AVX2"] = blocksAVX2
	}
	if cpu.X86.HasAVX512VL {
		k["AVX-512VL"] = blocksAVX512
	}
	return k
}

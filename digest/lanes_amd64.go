package digest

import "golang.org/x/sys/cpu"

// best returns the fastest kernel for this processor, or nil where the standard
// library is faster: it uses the SHA instructions of processors that have them.
func best() kernel {
	switch {
	case hasSHA():
		return nil
	case cpu.X86.HasAVX512VL:
		return blocksAVX512
	case cpu.X86.HasAVX2:
		return blocksAVX2
	}
	return nil
}

//go:noescape
func blocksAVX2(state *[8][8]uint32, at *[8]*byte, n int)

//go:noescape
func blocksAVX512(state *[8][8]uint32, at *[8]*byte, n int)

// hasSHA asks the processor, because package cpu does not say.
func hasSHA() bool

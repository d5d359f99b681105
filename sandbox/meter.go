package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A module in an endless loop must be stopped. wazero can do that itself: with
// WithCloseOnContextDone it checks a context at every iteration of every loop. This was measured
// with wazero 1.12 (processor time, medians of 7 alternating rounds): JPEG 2000 takes 2.5 to 3.1
// times as long to decode, lossy JPEG 3.5 times, and a registration 2.2 times. Therefore the module
// is rewritten before it is compiled: each iteration of a loop decrements a counter and traps at 0,
// at a cost that cannot be measured. The limit is thus a number of iterations, called turns, which
// is the same on every machine and under any load.

// Sections of a module (WebAssembly Core Specification 2.0, 5.5.2).
const (
	memorySection = 5
	globalSection = 6
	exportSection = 7
	codeSection   = 10
)

// turnsLeft is the exported name of the counter.
const turnsLeft = "turns left"

var errModule = errors.New("the WebAssembly module is not as expected")

// metered returns the module with a counter of turns, and with an initial memory of pages
// unless pages is 0. The module may have one memory, no imported globals and fewer than 128
// others.
func metered(wasm []byte, pages uint64) ([]byte, error) {
	const preamble = 8 // magic number and version
	if len(wasm) < preamble {
		return nil, errModule
	}
	out := append(make([]byte, 0, len(wasm)+len(wasm)/4), wasm[:preamble]...)
	counter := byte(0)
	for r := (wasmReader{data: wasm, position: preamble}); r.position < len(wasm); {
		id := r.byte()
		body := r.bytes(r.number())
		if r.failed {
			return nil, errModule
		}
		s := wasmReader{data: body}
		switch id {
		case memorySection:
			if pages > 0 {
				body = s.memory(pages)
			}
		case globalSection:
			body, counter = s.addCounter()
		case exportSection:
			body = s.addExport(counter)
		case codeSection:
			body = s.meterCode(counter)
		}
		if s.failed {
			return nil, fmt.Errorf("%w: section %d", errModule, id)
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out, nil
}

// wasmReader reads a module or a part of it. After an unexpected value, it reads nothing more.
type wasmReader struct {
	data     []byte
	position int
	failed   bool
}

func (r *wasmReader) byte() byte {
	b := r.bytes(1)
	if r.failed {
		return 0
	}
	return b[0]
}

func (r *wasmReader) bytes(n uint64) []byte {
	if r.failed || n > uint64(len(r.data)-r.position) {
		r.failed = true
		return nil
	}
	r.position += int(n)
	return r.data[r.position-int(n) : r.position]
}

// skip skips a number of any type.
func (r *wasmReader) skip() {
	for r.byte() >= 0x80 {
	}
}

// number reads an unsigned LEB128 number (5.2.2).
func (r *wasmReader) number() uint64 {
	if r.failed {
		return 0
	}
	v, n := binary.Uvarint(r.data[r.position:])
	if n <= 0 {
		r.failed = true
		return 0
	}
	r.position += n
	return v
}

// memory returns the section with a smaller minimum (5.5.8).
func (r *wasmReader) memory(pages uint64) []byte {
	const noMaximum, withMaximum = 0, 1
	count, flags := r.number(), r.byte()
	minimum := r.number()
	r.failed = r.failed || count != 1 || flags != noMaximum && flags != withMaximum || minimum < pages
	return append(binary.AppendUvarint([]byte{1, flags}, pages), r.data[r.position:]...)
}

// addCounter returns the section with one more global, mutable and 64 bits wide, and its
// index (5.5.9).
func (r *wasmReader) addCounter() ([]byte, byte) {
	count := r.number()
	r.failed = r.failed || count >= 127
	const i64, mutable, i64const, end = 0x7e, 1, 0x42, 0x0b
	body := append([]byte{byte(count + 1)}, r.data[r.position:]...)
	return append(body, i64, mutable, i64const, 0, end), byte(count)
}

// addExport returns the section that also exports the counter (5.5.10).
func (r *wasmReader) addExport(counter byte) []byte {
	const global = 3
	body := binary.AppendUvarint(nil, r.number()+1)
	body = append(body, r.data[r.position:]...)
	body = append(body, byte(len(turnsLeft)))
	body = append(body, turnsLeft...)
	return append(body, global, counter)
}

// meterCode returns the section with the counter in every loop (5.5.13).
func (r *wasmReader) meterCode(counter byte) []byte {
	// counter -= 1; if counter == 0 { unreachable }
	turn := []byte{0x23, counter, 0x42, 1, 0x7d, 0x24, counter, 0x23, counter, 0x50, 0x04, 0x40, 0x00, 0x0b}
	functions := r.number()
	out := binary.AppendUvarint(make([]byte, 0, len(r.data)+len(r.data)/4), functions)
	var body []byte
	for ; functions > 0 && !r.failed; functions-- {
		f := wasmReader{data: r.bytes(r.number())}
		body = f.meterFunction(body[:0], turn)
		r.failed = r.failed || f.failed
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out
}

// meterFunction appends a function's locals and instructions to dst, with turn inserted at
// the head of each loop.
func (r *wasmReader) meterFunction(dst, turn []byte) []byte {
	const loop = 0x03
	for locals := r.number(); locals > 0 && !r.failed; locals-- {
		r.number()
		r.byte()
	}
	copied := 0
	for r.position < len(r.data) && !r.failed {
		op := r.byte()
		r.immediates(op)
		if op == loop {
			dst = append(append(dst, r.data[copied:r.position]...), turn...)
			copied = r.position
		}
	}
	return append(dst, r.data[copied:]...)
}

// immediates skips the immediates of an opcode (5.4). Modules with exceptions are refused.
func (r *wasmReader) immediates(op byte) {
	switch {
	case op >= 0x02 && op <= 0x04, // block, loop, if
		op == 0x0c, op == 0x0d, op == 0x10, // br, br_if, call
		op >= 0x20 && op <= 0x26, // local.get to table.set
		op == 0x3f, op == 0x40,   // memory.size, memory.grow
		op == 0x41, op == 0x42, op == 0xd0, op == 0xd2: // i32.const, i64.const, ref.null, ref.func
		r.skip()
	case op == 0x0e: // br_table
		for n := r.number(); n > 0 && !r.failed; n-- {
			r.skip()
		}
		r.skip()
	case op == 0x11, op >= 0x28 && op <= 0x3e: // call_indirect, loads and stores
		r.skip()
		r.skip()
	case op == 0x43:
		r.bytes(4) // f32.const
	case op == 0x44:
		r.bytes(8) // f64.const
	case op == 0x1c: // select of given types
		r.bytes(r.number())
	case op == 0xfc:
		r.extended()
	case op == 0xfd:
		r.vector()
	case op <= 0x01, op == 0x05, op == 0x0b, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4, op == 0xd1:
	default:
		r.failed = true
	}
}

// extended skips the rest of an instruction that begins with 0xfc.
func (r *wasmReader) extended() {
	switch op := r.number(); {
	case op <= 7: // conversions
	case op == 9, op == 11, op == 13, op >= 15 && op <= 17: // data.drop, memory.fill, elem.drop, table.grow to fill
		r.skip()
	case op == 8, op == 10, op == 12, op == 14: // init and copy
		r.skip()
		r.skip()
	default:
		r.failed = true
	}
}

// vector skips the rest of an instruction that begins with 0xfd (5.4.9). Relaxed vector
// instructions, which begin at 256, are refused: their results depend on the machine.
func (r *wasmReader) vector() {
	switch op := r.number(); {
	case op <= 11, op == 92, op == 93: // loads and stores
		r.skip()
		r.skip()
	case op == 12, op == 13: // v128.const, i8x16.shuffle
		r.bytes(16)
	case op >= 21 && op <= 34: // one lane of a vector
		r.byte()
	case op >= 84 && op <= 91: // loads and stores of one lane
		r.skip()
		r.skip()
		r.byte()
	case op <= 255:
	default:
		r.failed = true
	}
}

package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
)

// small is a module of a few functions, by hand (WebAssembly Core Specification 2.0, 5.5):
//
//	_initialize   memory[0] = 7
//	spin          loops for ever
//	grow(n)       returns memory.grow(n)
//	ask           calls env.ask
//	get           returns memory[0]
//	set           memory[0] = 9
func small() []byte {
	section := func(id byte, body ...byte) []byte {
		return append(binary.AppendUvarint([]byte{id}, uint64(len(body))), body...)
	}
	var exports []byte
	names := []string{"_initialize", "spin", "grow", "ask", "get", "set"}
	for n, name := range names {
		exports = append(append(append(exports, byte(len(name))), name...), 0, byte(n+1))
	}
	exports = append(append(exports, 6), "memory\x02\x00"...)
	functions := []string{
		"\x41\x00\x41\x07\x36\x02\x00",     // i32.const 0, i32.const 7, i32.store
		"\x03\x40\x0c\x00\x0b",             // loop, br 0, end
		"\x20\x00\x40\x00",                 // local.get 0, memory.grow
		"\x10\x00",                         // call 0
		"\x41\x00\x28\x02\x00",             // i32.const 0, i32.load
		"\x41\x00\x41\x09\x36\x02\x00\x01", // i32.const 0, i32.const 9, i32.store, nop
	}
	var code []byte
	for _, f := range functions {
		code = append(append(append(code, byte(len(f)+2), 0), f...), 0x0b)
	}
	return bytes.Join([][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, 3, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f), // (), (i32) → i32, () → i32
		section(2, append([]byte{1, 3}, "env\x03ask\x00\x00"...)...),
		section(3, 6, 0, 0, 1, 0, 2, 0),
		section(5, 1, 1, 2, 100), // memory of 2 to 100 pages
		section(6, 1, 0x7f, 0x01, 0x41, 0, 0x0b),
		section(7, append([]byte{byte(len(names) + 1)}, exports...)...),
		section(10, append([]byte{byte(len(functions))}, code...)...),
	}, nil)
}

var errAsked = errors.New("asked")

func program() Program {
	return Program{Wasm: small(), Pages: 1, MaxMemory: 64 << 20,
		Imports: func(ctx context.Context, r wazero.Runtime) error {
			_, err := r.NewHostModuleBuilder("env").NewFunctionBuilder().
				WithFunc(func() { panic(Ended{errAsked}) }).Export("ask").Instantiate(ctx)
			return err
		}}
}

func load(t *testing.T) *Module {
	t.Helper()
	m, err := Load(program())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// cacheIn makes base the user's cache directory.
func cacheIn(t *testing.T, base string) {
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData", "home"} {
		t.Setenv(name, base)
	}
}

func TestCall(t *testing.T) {
	cacheIn(t, t.TempDir())
	i, err := load(t).Instantiate(wazero.NewModuleConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	ctx := t.Context()
	if _, err := i.Call(ctx, "absent"); !errors.Is(err, errModule) {
		t.Errorf("a function that is absent: %v", err)
	}
	i.Allow(10, 3*PageSize+17)
	i.Reserve(1 << 40) // above the limit
	if old, err := i.Call(ctx, "grow", 2); old != 1 || err != nil {
		t.Errorf("growing within the limit: %d, %v", old, err)
	}
	if c := cap(i.memory.bytes); c < 3*PageSize || c > 3*PageSize+17 {
		t.Errorf("room for %d bytes", c)
	}
	if none, err := i.Call(ctx, "grow", 1); none != 1<<32-1 || err != nil {
		t.Errorf("growing above the limit: %d, %v", none, err)
	}
	if _, err := i.Call(ctx, "ask"); !errors.Is(err, errAsked) || len(err.Error()) > 20 {
		t.Errorf("an import that ends the call: %v", err)
	}
	if _, err := i.Read(3*PageSize-1, 2); !errors.Is(err, ErrAborted) {
		t.Errorf("read outside the memory: %v", err)
	}
	if i.Write(3*PageSize-1, []byte{1, 2}) {
		t.Error("written outside the memory")
	}
	if _, err := i.Call(ctx, "spin"); !errors.Is(err, ErrTurns) || i.turns.Get() != 0 {
		t.Errorf("a loop without end: %v", err)
	}
}

// An instance from the pool has the state after the constructors, and one that was returned is used
// again.
func TestPool(t *testing.T) {
	cacheIn(t, t.TempDir())
	p, err := NewPool(load(t), 10, 2*PageSize)
	if err != nil {
		t.Fatal(err)
	}
	var before *Instance
	for round := range 3 {
		i, err := p.Take()
		if err != nil {
			t.Fatal(err)
		}
		if v, err := i.Call(t.Context(), "get"); v != 7 || err != nil {
			t.Errorf("round %d: memory is %d, %v; want 7", round, v, err)
		}
		if _, err := i.Call(t.Context(), "set"); err != nil {
			t.Error(err)
		}
		if before != nil && before != i {
			t.Error("the idle instance was not taken")
		}
		before = i
		p.Put(i)
	}
	i, err := p.Take()
	if err != nil {
		t.Fatal(err)
	}
	i.Allow(0, 10*PageSize)
	if _, err := i.Call(t.Context(), "grow", 5); err != nil {
		t.Fatal(err)
	}
	p.Put(i)
	if len(p.free) != 0 {
		t.Error("an instance with much memory is kept")
	}
}

// A missing cache directory is not a reason to fail, and neither is one that others may
// write to.
func TestDiskCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{t.TempDir(), file, ""} {
		cacheIn(t, dir)
		load(t)
	}
	open := t.TempDir()
	if err := os.Mkdir(filepath.Join(open, "t2map"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(open, "t2map"), 0o777); err != nil {
		t.Fatal(err)
	}
	cacheIn(t, open)
	load(t)
	if kept, _ := filepath.Glob(filepath.Join(open, "t2map", "*")); len(kept) != 0 {
		t.Errorf("in a directory that others may write to: %v", kept)
	}
}

// If the code on disk is damaged, the module is compiled again, once.
func TestDamagedCache(t *testing.T) {
	cacheIn(t, t.TempDir())
	for round := range 4 {
		load(t)
		files, err := filepath.Glob(filepath.Join(cacheDir(), "*", "*"))
		if err != nil || len(files) != 1 {
			t.Fatal("not one file: ", files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		switch round {
		case 0:
			data = data[:len(data)/2]
		case 1:
			data[len(data)-len(data)/3] ^= 0xff
		case 2:
			data = nil
		}
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// An unexpected module is refused.
func FuzzMetered(f *testing.F) {
	f.Add(small())
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x05\x07\x01\x01\x80\x20\x80\x80\x02"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = metered(data, 1)
	})
}

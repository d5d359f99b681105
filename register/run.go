package register

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"

	"github.com/t2map/t2map/sandbox"
)

// picture is an image in the form that elastix takes: a grid with axes at right angles.
type picture struct {
	size            [3]int
	origin, spacing [3]float64 // mm, LPS
	direction       [3][3]float64
	voxels          []float32
}

// parameters is a parameter map of elastix.
type parameters map[string][]string

// euler is a transform as elastix returns it: p ↦ R·(p − centre) + centre + shift, where
// R = Rz·Rx·Ry of three angles in rad (ITK's Euler3DTransform with ComputeZYX false).
type euler struct {
	angles, shift, centre [3]float64
}

// Indices of the module's inputs and outputs, in the order of its arguments.
const (
	inParameters = iota
	inFixed
	inMoving
)

const outTransforms = 1 // the others are the resampled image and the parameters

// arguments assign the indices to elastix's options.
var arguments = []string{"elastix", "--memory-io", "0", "0", "1", "2", "--fixed", "1", "--moving", "2"}

// The memory that a registration uses: measured, 68 MB for 3.0 million voxels.
const (
	reserveConstant = 8 << 20
	reservePerVoxel = 20
)

// run registers two images in an instance of its own.
func run(ctx context.Context, p parameters, fixed, moving picture, turns, memory uint64) (euler, error) {
	m, err := elastix()
	if err != nil {
		return euler{}, &ModuleError{Err: err}
	}
	// elastix asks for the time at every iteration, when the call ends if the context has ended.
	// The clock itself stands still.
	look := func() {
		if err := ctx.Err(); err != nil {
			panic(sandbox.Ended{Err: err})
		}
	}
	config := wazero.NewModuleConfig().WithArgs(arguments...).
		WithWalltime(func() (int64, int32) { look(); return 0, 0 }, sys.ClockResolution(1)).
		WithNanotime(func() int64 { look(); return 0 }, sys.ClockResolution(1))
	i, err := m.Instantiate(config)
	if err != nil {
		return euler{}, &ModuleError{Err: err}
	}
	defer i.Close()
	i.Allow(turns, memory)
	i.Reserve(reserveConstant + reservePerVoxel*uint64(len(fixed.voxels)+len(moving.voxels)))
	s := session{ctx: ctx, instance: i}
	s.call("_initialize")
	s.put(p, fixed, moving)
	if status := s.call("itk_wasm_delayed_start"); s.err == nil && status != 0 {
		s.err = fmt.Errorf("exit status %d", status)
	}
	e := s.transform()
	switch {
	case ctx.Err() != nil:
		return euler{}, ctx.Err()
	case s.err != nil:
		return euler{}, &ModuleError{Err: s.err}
	}
	return e, nil
}

// session calls functions of an instance until one fails.
type session struct {
	ctx      context.Context
	instance *sandbox.Instance
	err      error
}

func (s *session) call(name string, parameters ...uint64) uint32 {
	if s.err != nil {
		return 0
	}
	var value uint32
	value, s.err = s.instance.Call(s.ctx, name, parameters...)
	return value
}

// write copies data to an address, unless there was no memory for it.
func (s *session) write(address uint32, data []byte) {
	if s.err == nil && (address == 0 || !s.instance.Write(address, data)) {
		s.err = fmt.Errorf("%w: no memory for %d bytes", sandbox.ErrAborted, len(data))
	}
}

// put writes the three inputs.
func (s *session) put(p parameters, fixed, moving picture) {
	type object struct {
		Data string `json:"data"`
		Size int    `json:"size"`
	}
	text, err := json.Marshal([]parameters{p})
	if err != nil {
		s.err = err
		return
	}
	s.putJSON(inParameters, object{s.putArray(inParameters, 0, text), len(text)})
	for index, image := range map[uint64]picture{inFixed: fixed, inMoving: moving} {
		s.putJSON(index, s.describe(index, image))
	}
}

// putArray writes an array of an input and returns its address in the form that the JSON uses.
func (s *session) putArray(input, array uint64, data []byte) string {
	address := s.call("itk_wasm_input_array_alloc", 0, input, array, uint64(len(data)))
	s.write(address, data)
	return fmt.Sprintf("data:application/vnd.itk.address,0:%d", address)
}

func (s *session) putJSON(input uint64, v any) {
	text, err := json.Marshal(v)
	if err != nil && s.err == nil {
		s.err = err
	}
	s.write(s.call("itk_wasm_input_json_alloc", 0, input, uint64(len(text))), text)
}

// describe writes the voxels and the axes of an image and returns the JSON object that refers to
// them.
func (s *session) describe(input uint64, p picture) any {
	type imageType struct {
		Dimension     int    `json:"dimension"`
		ComponentType string `json:"componentType"`
		PixelType     string `json:"pixelType"`
		Components    int    `json:"components"`
	}
	voxels := make([]byte, 0, 4*len(p.voxels))
	for _, v := range p.voxels {
		voxels = binary.LittleEndian.AppendUint32(voxels, math.Float32bits(v))
	}
	var axes []byte
	for _, row := range p.direction {
		for _, v := range row {
			axes = binary.LittleEndian.AppendUint64(axes, math.Float64bits(v))
		}
	}
	return struct {
		ImageType imageType  `json:"imageType"`
		Name      string     `json:"name"`
		Origin    [3]float64 `json:"origin"`
		Spacing   [3]float64 `json:"spacing"`
		Size      [3]int     `json:"size"`
		Metadata  []any      `json:"metadata"`
		Data      string     `json:"data"`
		Direction string     `json:"direction"`
	}{
		imageType{3, "float32", "Scalar", 1}, "image", p.origin, p.spacing, p.size, []any{},
		s.putArray(input, 0, voxels), s.putArray(input, 1, axes),
	}
}

// transform reads the last transform of the output, which is the result of the registration; those
// before it are the composition.
func (s *session) transform() euler {
	size := s.call("itk_wasm_output_json_size", 0, outTransforms)
	text := s.read(s.call("itk_wasm_output_json_address", 0, outTransforms), size)
	var list []struct {
		TransformType struct {
			Parameterization string `json:"transformParameterization"`
		} `json:"transformType"`
		Fixed      string `json:"fixedParameters"`
		Parameters string `json:"parameters"`
	}
	if s.err == nil {
		s.err = json.Unmarshal(text, &list)
	}
	if s.err != nil {
		return euler{}
	}
	if n := len(list); n == 0 || list[n-1].TransformType.Parameterization != "Euler3D" {
		s.err = errors.New("its transform is not rigid")
		return euler{}
	}
	last := list[len(list)-1]
	p, c := s.numbers(last.Parameters, 6), s.numbers(last.Fixed, 3)
	if s.err != nil {
		return euler{}
	}
	return euler{angles: [3]float64(p[:3]), shift: [3]float64(p[3:6]), centre: [3]float64(c[:3])}
}

func (s *session) read(address, size uint32) []byte {
	if s.err != nil {
		return nil
	}
	var data []byte
	data, s.err = s.instance.Read(address, size)
	return data
}

// numbers reads the first n numbers of an array that the JSON refers to by its address.
func (s *session) numbers(address string, n int) []float64 {
	var start uint32
	if _, err := fmt.Sscanf(address, "data:application/vnd.itk.address,0:%d", &start); err != nil && s.err == nil {
		s.err = fmt.Errorf("an address of its output: %w", err)
	}
	data := s.read(start, uint32(8*n))
	if s.err != nil {
		return nil
	}
	out := make([]float64, n)
	for k := range out {
		out[k] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*k:]))
		if math.IsNaN(out[k]) || math.IsInf(out[k], 0) {
			s.err = errors.New("its transform is not finite")
		}
	}
	return out
}

package codec

import "errors"

// DecodeByModule decodes in WebAssembly what Decode may decode in Go.
func DecodeByModule(f Frame, syntax string, data []byte) ([]byte, error) {
	dst := make([]byte, f.size())
	return dst, decodeForeign(f, syntax, data, dst)
}

// IsRare reports whether Decode passes this frame of one component to the module.
func IsRare(f Frame, data []byte) bool {
	frame, err := readJPEGFrame(f, jpegLSNear, data)
	if err != nil {
		return false
	}
	d := &jpegLS{f: f, frame: frame, dst: make([]byte, f.size())}
	return errors.Is(d.decode(data), errRare)
}

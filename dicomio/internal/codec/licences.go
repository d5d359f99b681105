package codec

import _ "embed"

// licences are the licences of the contents of the module.
//
//go:embed wasm/LICENSES.txt
var licences string

// Licences returns the licences of the decoders that run as WebAssembly.
func Licences() string { return licences }

// Package number holds the number type of the program's JSON files.
package number

import (
	"encoding/json"
	"math"
)

// Float is a float64 whose NaN is null in JSON. NaN means that there is no number.
type Float float64

// Finite returns x as a Float, and NaN for an infinity.
func Finite(x float64) Float {
	if math.IsInf(x, 0) {
		x = math.NaN()
	}
	return Float(x)
}

// MarshalJSON writes null for NaN. An infinity is an error, as in encoding/json.
func (f Float) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON reads null as NaN. If the key is missing, f does not change.
func (f *Float) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Float(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

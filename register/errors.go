package register

import "fmt"

// Image is one of the two images.
type Image string

// The images.
const (
	Fixed  Image = "fixed"
	Moving Image = "moving"
)

// Problem is the reason why an image is unsuitable.
type Problem string

// The problems.
const (
	Incomplete Problem = "the number of its voxels does not match its grid"
	NoPosition Problem = "its grid has no position in space"
	Skewed     Problem = "its axes are not at right angles"
	TooSmall   Problem = "it has fewer than 3 voxels along an axis, or less than 8 mm"
	TooLarge   Problem = "it is too large to be registered within 2 GiB"
	Flat       Problem = "its voxels all have one value"
	NotFinite  Problem = "fewer than half of its voxels are finite numbers"
	NoField    Problem = "the field to be registered lies outside it"
)

// UnsuitableError reports that an image cannot be registered.
type UnsuitableError struct {
	Image   Image
	Problem Problem
}

func (e *UnsuitableError) Error() string {
	return fmt.Sprintf("the %s image cannot be registered: %s", e.Image, e.Problem)
}

// OverlapError reports that the moving image covers too little of the field.
type OverlapError struct {
	// Overlap is the fraction of the field that the moving image covers, 0 to 1.
	Overlap float64
	// Distance is the distance in mm between the centres of the field and the moving image.
	Distance float64
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf(
		"the images overlap in %.0f %% of the field; their centres are %.0f mm apart", 100*e.Overlap, e.Distance,
	)
}

// MotionError reports that the rotation or the shift of the transform is above its limit.
type MotionError struct {
	Rotation, MaxRotation float64 // degrees
	Shift, MaxShift       float64 // mm
}

func (e *MotionError) Error() string {
	return fmt.Sprintf(
		"registration rotated the knee by %.1f° and shifted it by %.1f mm; the limits are %g° and %g mm",
		e.Rotation, e.Shift, e.MaxRotation, e.MaxShift,
	)
}

// MetricError reports that the registration did not increase the mutual information.
type MetricError struct {
	Before, After float64 // mutual information in nats
}

func (e *MetricError) Error() string {
	return fmt.Sprintf(
		"registration did not increase the mutual information of the images: %.4f before, %.4f after",
		e.Before, e.After,
	)
}

// OptionError reports that an option is out of range.
type OptionError struct {
	Name           string
	Got, Low, High float64
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("registration: %s: got %g, want %g to %g", e.Name, e.Got, e.Low, e.High)
}

// ModuleError reports that elastix did not return a transform. elastix does not say why: its
// exceptions end the module.
type ModuleError struct{ Err error }

func (e *ModuleError) Error() string { return fmt.Sprintf("elastix failed: %v", e.Err) }

// Unwrap returns the cause.
func (e *ModuleError) Unwrap() error { return e.Err }

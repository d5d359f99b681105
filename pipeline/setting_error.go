package pipeline

// SettingError is a failure that a setting of the run explains, such as a series that it does
// not name or a mask that its pattern does not find. The study may be sound.
type SettingError struct{ err error }

// Error is that of the failure.
func (e *SettingError) Error() string { return e.err.Error() }

// Unwrap returns the failure.
func (e *SettingError) Unwrap() error { return e.err }

// Explained returns the error as one that a setting of the run explains; nil stays nil.
func Explained(err error) error {
	if err == nil {
		return nil
	}
	return &SettingError{err}
}

package pipeline

// SettingError is a failure that a setting of the run may have caused, such as a series rule or a mask pattern that
// matches nothing. The study itself may be valid.
type SettingError struct{ err error }

// Error is that of the failure.
func (e *SettingError) Error() string { return e.err.Error() }

// Unwrap returns the failure.
func (e *SettingError) Unwrap() error { return e.err }

// Explained turns an error into a *SettingError; nil stays nil.
func Explained(err error) error {
	if err == nil {
		return nil
	}
	return &SettingError{err}
}

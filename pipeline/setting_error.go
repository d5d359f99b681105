package pipeline

// SettingError is a failure that a setting of the run explains, such as a series that it does
// not name or a mask that its pattern does not find. The study may be sound.
type SettingError struct{ err error }

func (e *SettingError) Error() string { return e.err.Error() }

func (e *SettingError) Unwrap() error { return e.err }

// Explained says that a setting of the run explains the error, which may be nil.
func Explained(err error) error {
	if err == nil {
		return nil
	}
	return &SettingError{err}
}

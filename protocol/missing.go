package protocol

import "io/fs"

// MissingError says that a file or folder that the user has named does not exist. It is an fs.ErrNotExist.
type MissingError struct{ Path string }

func (e *MissingError) Error() string { return e.Path + " does not exist" }

func (e *MissingError) Is(target error) bool { return target == fs.ErrNotExist }

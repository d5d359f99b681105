package batch

import "io/fs"

// missingError says that a file or folder that was named does not exist. It is an fs.ErrNotExist.
type missingError struct{ path string }

func (e *missingError) Error() string        { return e.path + " does not exist" }
func (e *missingError) Is(target error) bool { return target == fs.ErrNotExist }

package lanes

func setVectors(enabled bool) { vectors = enabled }

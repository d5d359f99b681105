package lanes

func setVectors(on bool) { vectors = on }

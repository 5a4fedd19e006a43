package reactor

// A noCopy in a struct lets go vet find copies of it, where nothing else does.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

package reactor

// A noCopy field makes go vet report copies of a struct.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

package eddy

// An Unlinker is what a [Sockets] may be besides: a system whose Unix-domain
// sockets have their names elsewhere than in the file system.
type Unlinker interface {
	// Unlink removes the name of a socket; see unlink(2). The error is a bare
	// errno.
	Unlink(path string) error
}

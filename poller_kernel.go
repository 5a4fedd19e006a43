//go:build !epoll_restless

package eddy

// kernel is the backend that a Poller uses; tests can put another in its place.
type kernel = backend

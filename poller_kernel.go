//go:build !epoll_restless

package eddy

// kernel is what a Poller asks.
type kernel = backend

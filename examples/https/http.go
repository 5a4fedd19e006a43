package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

const (
	maxHeader = 16 << 10 // bytes of a request's header
	maxBody   = 1 << 20
	idleTime  = 60 * time.Second // between two requests
	readTime  = 10 * time.Second // for all of a request, however slowly it comes
)

// converse is a connection's task. It answers one request after the other:
// pipelined requests wait in the connection, not in memory.
func converse(ctx context.Context, c net.Conn) error {
	limited := &io.LimitedReader{R: c}
	in := bufio.NewReader(limited)
	for {
		limited.N = maxHeader
		req, err := next(ctx, in)
		if err != nil {
			return err
		}
		limited.N = maxBody
		res := answer(ctx, req)
		if err := res.Write(c); err != nil {
			return err
		}
		if res.Close {
			return nil
		}
	}
}

// next reads a request's header. It may wait long for the first byte, and stops
// waiting for it when the server shuts down.
func next(ctx context.Context, in *bufio.Reader) (*http.Request, error) {
	err := net.UntilDrain(ctx, func(ctx context.Context) error {
		return reactor.Timeout(ctx, idleTime, func(context.Context) error {
			_, err := in.Peek(1)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	var req *http.Request
	err = reactor.Timeout(ctx, readTime, func(context.Context) (err error) {
		req, err = http.ReadRequest(in)
		return err
	})
	return req, err
}

// answer reads a request's body and returns a response with the same body.
func answer(ctx context.Context, req *http.Request) *http.Response {
	var body []byte
	err := reactor.Timeout(ctx, readTime, func(context.Context) (err error) {
		body, err = io.ReadAll(req.Body)
		return err
	})
	res := &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: req, Close: req.Close || net.Draining(ctx),
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
	}
	switch {
	case err != nil: // too slow, too long or cut short: its end is unknown
		res.StatusCode, res.Close = http.StatusBadRequest, true
		body = []byte("the request's body could not be read\n")
	case len(body) == 0:
		body = []byte(req.Method + " " + req.URL.RequestURI() + "\n")
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return res
}

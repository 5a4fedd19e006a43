package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// errUnknown is returned if an increment was sent but not answered.
var errUnknown = errors.New("no answer: the increment may have been counted or not")

// A client asks the nodes. It remembers which one answered last: the leader.
type client struct {
	links []*link
	at    int
}

func newClient(addrs []string) *client {
	c := &client{}
	for _, a := range addrs {
		c.links = append(c.links, &link{addr: a})
	}
	return c
}

// ask asks one node after the other, until the leader answers or ctx is done. An
// increment is not sent again once it may have been counted: it could count twice.
func (c *client) ask(ctx context.Context, request string) (value int, err error) {
	for {
		l := c.links[c.at]
		if err = l.connect(ctx); err == nil {
			var answer string
			answer, err = l.call(ctx, request)
			if _, bad := fmt.Sscanf(answer, "value %d", &value); bad == nil {
				return value, nil
			}
			if request == "inc" && answer != "elsewhere" {
				return 0, errUnknown
			}
		}
		c.at = (c.at + 1) % len(c.links)
		if stop := reactor.Sleep(ctx, 50*time.Millisecond); stop != nil {
			return 0, fmt.Errorf("no node leads: %w", errors.Join(stop, err))
		}
	}
}

func (c *client) close() {
	for _, l := range c.links {
		l.close()
	}
}

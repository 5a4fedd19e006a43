package browsertest

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/eddyio/eddy/inspect"
	"github.com/eddyio/eddy/reactor"
)

// The page of a loop that runs, then stands in a channel, then goes on.
func TestRealLoop(t *testing.T) {
	var once sync.Once
	stop, stand, goOn := make(chan struct{}), make(chan struct{}), make(chan struct{})
	free := func() { once.Do(func() { close(goOn) }) }
	ran := make(chan error, 1)
	go func() {
		ran <- reactor.Run(context.Background(), func(ctx context.Context) error { return work(ctx, stop, stand, goOn) })
	}()
	defer func() {
		free()
		close(stop)
		if err := <-ran; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	server := httptest.NewServer(inspect.Handler())
	defer server.Close()
	p := open(t, server.URL, 1280, 900)
	p.has(row, "100 × browsertest.work")
	p.has(row, "billing #")
	p.has(row, "an item in a queue")
	p.click(row+" .name", "100 × browsertest.work")
	p.has(row, "an event")
	p.has(row, "real_test.go:")
	p.press("/")
	p.write("billing")
	p.has("#shown", "1 of ")
	p.press("Escape")
	p.click("button", "Freeze")
	p.has("#moment", "frozen")
	p.click("button", "Compare with now")
	p.has("#diff .throughout", "waited throughout")
	p.has("#diff .throughout summary", "real_test.go")
	p.click("button", "Go on")

	stand <- struct{}{}
	p.has("#standing", "task 103 (culprit) keeps its thread")
	p.has("#standing pre", "real_test.go:")
	p.has("#standing pre", "culprit")
	p.click("#standing button", "Show the task")
	p.has(row, "culprit #103")
	p.has(row, "holds up the loop")
	free()
	p.until("it stands no more", "document.querySelector('#standing').hidden")
	p.hasNot(row, "culprit")
}

// work is a loop with 100 tasks that wait, and one that will stand.
func work(ctx context.Context, stop, stand, goOn chan struct{}) error {
	var event reactor.Event
	jobs := reactor.Queue[int]{Max: 10}
	for range 100 {
		reactor.Go(ctx, func(ctx context.Context) error { return waiter(ctx, &event) })
	}
	billing := reactor.Go(ctx, func(ctx context.Context) error { _, err := jobs.Get(ctx); return err })
	billing.SetName("billing")
	reactor.Go(ctx, func(ctx context.Context) error {
		if _, _, err := reactor.Receive(ctx, stand); err != nil {
			return err
		}
		return culprit(goOn)
	}).SetName("culprit")
	_, err := reactor.ToThread(ctx, func(ctx context.Context) (struct{}, error) {
		<-stop
		return struct{}{}, nil
	})
	event.Set()
	billing.Cancel(nil)
	return err
}

func waiter(ctx context.Context, event *reactor.Event) error { return event.Wait(ctx) }

// culprit makes the mistake of tasks: it waits for a goroutine in a way that the loop
// does not know.
//
//go:noinline
func culprit(goOn chan struct{}) error {
	<-goOn
	return nil
}

package integration

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/miekg/dns"
	"github.com/nats-io/nats.go"
)

func init() {
	add(&library{name: "miekg/dns", module: "github.com/miekg/dns", servers: []string{"dns"}, open: openDNS})
	add(&library{name: "nats.go", module: "github.com/nats-io/nats.go", servers: []string{"nats"}, open: openNATS})
	add(&library{name: "paho.mqtt", module: "github.com/eclipse/paho.mqtt.golang", servers: []string{"mosquitto"}, open: openMQTT})
}

func openDNS(ctx context.Context, at *site) (*client, error) {
	conn, err := at.dial(ctx, "udp", at.addr["dns"])
	if err != nil {
		return nil, err
	}
	c := &dns.Client{Timeout: time.Hour}
	ask := func(name string) (int, error) {
		q := new(dns.Msg).SetQuestion(name, dns.TypeA)
		a, _, err := c.ExchangeWithConn(q, &dns.Conn{Conn: conn})
		if err != nil {
			return 0, err
		}
		return len(a.Answer), nil
	}
	return &client{
		op: func(context.Context) error {
			n, err := ask("example.com.")
			return is(n, 1, err)
		},
		silent: func(ctx context.Context) error {
			return at.bounded(ctx, conn, func() error {
				_, err := ask(silence + ".")
				return err
			})
		},
		close: func() { conn.Close() },
	}, nil
}

// A natsDialer has no ctx to dial under but that of the connection.
type natsDialer struct {
	at  *site
	ctx context.Context
}

func (d natsDialer) Dial(network, addr string) (net.Conn, error) {
	return d.at.dial(d.ctx, network, addr)
}

func openNATS(ctx context.Context, at *site) (*client, error) {
	c, err := nats.Connect("nats://"+at.addr["nats"], nats.SetCustomDialer(natsDialer{at, ctx}), nats.NoReconnect())
	if err != nil {
		return nil, err
	}
	subject := nats.NewInbox()
	if _, err := c.Subscribe(subject, func(m *nats.Msg) { m.Respond(m.Data) }); err != nil {
		c.Close()
		return nil, err
	}
	nobody, err := c.SubscribeSync(nats.NewInbox())
	if err != nil {
		c.Close()
		return nil, err
	}
	return &client{
		op: func(ctx context.Context) error {
			m, err := c.RequestWithContext(ctx, subject, []byte("hello"))
			if err != nil {
				return err
			}
			return is(string(m.Data), "hello", nil)
		},
		silent: func(ctx context.Context) error {
			_, err := nobody.NextMsgWithContext(ctx)
			return err
		},
		close: c.Close,
	}, nil
}

func openMQTT(ctx context.Context, at *site) (*client, error) {
	id := fmt.Sprint("eddy", time.Now().UnixNano())
	options := mqtt.NewClientOptions().AddBroker("tcp://" + at.addr["mosquitto"]).SetClientID(id).
		SetAutoReconnect(false).
		SetCustomOpenConnectionFn(func(uri *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
			return at.dial(ctx, "tcp", uri.Host)
		})
	c := mqtt.NewClient(options)
	finish := func(ctx context.Context, t mqtt.Token) error {
		select {
		case <-t.Done():
			return t.Error()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := finish(ctx, c.Connect()); err != nil {
		return nil, err
	}
	messages := make(chan string, 16)
	subscribed := c.Subscribe(id, 1, func(_ mqtt.Client, m mqtt.Message) { messages <- string(m.Payload()) })
	if err := finish(ctx, subscribed); err != nil {
		c.Disconnect(0)
		return nil, err
	}
	next := func(ctx context.Context) (string, error) {
		select {
		case m := <-messages:
			return m, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return &client{
		op: func(ctx context.Context) error {
			if err := finish(ctx, c.Publish(id, 1, false, "hello")); err != nil {
				return err
			}
			s, err := next(ctx)
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error {
			_, err := next(ctx)
			return err
		},
		close: func() { c.Disconnect(0) },
	}, nil
}

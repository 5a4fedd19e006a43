package tls

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
)

// timed returns a config that uses the clock of ctx's host: config itself if
// the host is real or config has a clock, and else a copy.
func timed(ctx context.Context, config *Config) *Config {
	if config != nil && config.Time != nil || !isSimulated(ctx) {
		return config
	}
	if config == nil {
		config = &Config{}
	}
	config = config.Clone()
	config.Time = func() time.Time { return reactor.Now(ctx) }
	if choose := config.GetConfigForClient; choose != nil {
		config.GetConfigForClient = func(hello *ClientHelloInfo) (*Config, error) {
			chosen, err := choose(hello)
			if chosen != nil {
				chosen = timed(ctx, chosen)
			}
			return chosen, err
		}
	}
	return config
}

// timedServer is timed for a server's config, which may serve many connections: all
// copies share the keys of its session tickets.
func timedServer(ctx context.Context, config *Config) *Config {
	if config != nil && config.Time == nil && isSimulated(ctx) {
		config.DecryptTicket(nil, tls.ConnectionState{}) // generates the keys, if there are none
	}
	return timed(ctx, config)
}

func isSimulated(ctx context.Context) bool { return simulation.HostOf(ctx) != nil }

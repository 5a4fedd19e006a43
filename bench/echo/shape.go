//go:build linux

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A shape describes a load.
type shape struct {
	Conns    int `json:"connections"`
	InFlight int `json:"in_flight"`         // messages on each connection
	Size     int `json:"size"`              // bytes of a message
	Percent  int `json:"percent,omitempty"` // of the rate that saturates the server; 0: as fast as it answers
}

const defaultShapes = "1x1x64,64x1x64,64x16x64,1000x1x64,10000x1x64,64x1x1KiB,64x1x10KiB,64x1x100KiB,64x1x64@70"

// allShapes returns every combination, and the shapes for latencies.
func allShapes() (all []shape) {
	for _, size := range []int{64, 1 << 10, 10 << 10, 100 << 10} {
		for _, conns := range []int{1, 64, 1000, 10000} {
			for _, inFlight := range []int{1, 16} {
				all = append(all, shape{Conns: conns, InFlight: inFlight, Size: size})
			}
		}
	}
	for _, conns := range []int{64, 1000} {
		all = append(all, shape{Conns: conns, InFlight: 1, Size: 64, Percent: 70})
	}
	return all
}

func parseShapes(list string) (shapes []shape, err error) {
	if list == "all" {
		return allShapes(), nil
	}
	for text := range strings.SplitSeq(list, ",") {
		s, err := parseShape(text)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, s)
	}
	return shapes, nil
}

func parseShape(text string) (s shape, err error) {
	bad := fmt.Errorf("%q is not a shape: write it like 64x16x10KiB, or 64x1x64@70 for 70%% of the saturating rate", text)
	rest, percent, paced := strings.Cut(text, "@")
	parts := strings.Split(rest, "x")
	if len(parts) != 3 {
		return s, bad
	}
	unit := 1
	if kib, ok := strings.CutSuffix(parts[2], "KiB"); ok {
		parts[2], unit = kib, 1<<10
	}
	fields := []*int{&s.Conns, &s.InFlight, &s.Size}
	if paced {
		fields, parts = append(fields, &s.Percent), append(parts, percent)
	}
	for i, p := range fields {
		if *p, err = strconv.Atoi(parts[i]); err != nil || *p < 1 {
			return s, bad
		}
	}
	s.Size *= unit
	if s.Percent > 0 && s.InFlight != 1 {
		return s, fmt.Errorf("%q: what is in flight follows from the rate; write 1", text)
	}
	return s, nil
}

// title describes the shape in words.
func (s shape) title() string {
	conns := "1 connection"
	if s.Conns > 1 {
		conns = thousands(s.Conns) + " connections"
	}
	if s.Percent > 0 {
		return fmt.Sprintf("%s, %s, at %d%% of saturation", conns, s.size(), s.Percent)
	}
	return fmt.Sprintf("%s × %d in flight, %s", conns, s.InFlight, s.size())
}

func (s shape) size() string {
	if s.Size%(1<<10) == 0 {
		return fmt.Sprintf("%d KiB", s.Size>>10)
	}
	return fmt.Sprintf("%d B", s.Size)
}

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

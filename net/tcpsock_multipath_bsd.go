//go:build !linux

package net

import "github.com/eddyio/eddy/sockets"

func isMultipath(sockets.Calls, int) bool { return false }

//go:build !linux

package net

import "github.com/eddyio/eddy"

func isMultipath(eddy.Sockets, int) bool { return false }

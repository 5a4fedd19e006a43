//go:build !linux

package net

var onTCPHere []step

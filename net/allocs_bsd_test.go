//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package net

const messagesAllocate = true // in x/sys

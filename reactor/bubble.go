package reactor

import "errors"

// ErrBubble is returned by Run in a testing/synctest bubble, unless its
// [Options] have a Clock: the bubble's clock would stand still while the loop
// waits for the kernel, and no timer would ever fire.
var ErrBubble = errors.New("reactor: Run called in a testing/synctest bubble, whose clock stands still while the loop waits for the kernel: package reactortest has virtual time for loops")

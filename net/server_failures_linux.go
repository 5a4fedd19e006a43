package net

import "syscall"

// peersAlso are errors of accept(2) that only Linux has.
var peersAlso = []syscall.Errno{syscall.ENONET}

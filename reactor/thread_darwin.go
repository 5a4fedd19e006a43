package reactor

import "golang.org/x/sys/unix"

const threadSelf = unix.SYS_THREAD_SELFID

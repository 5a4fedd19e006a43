package net

// OpenBSD has one idle time and one interval for all connections of the machine:
// net.inet.tcp.keepidle and keepintvl.

func setKeepAliveIdle(func(fd, level, option, value int) error, int, int) error { return nil }

func setKeepAliveInterval(func(fd, level, option, value int) error, int, int) error { return nil }

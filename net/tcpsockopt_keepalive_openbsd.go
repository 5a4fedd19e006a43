package net

// OpenBSD has these for the whole machine only: net.inet.tcp.keepidle and
// keepintvl.
const keepAliveIdle, keepAliveInterval, keepAliveCount = 0, 0, 0

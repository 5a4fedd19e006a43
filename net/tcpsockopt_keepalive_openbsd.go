package net

// OpenBSD has these settings only for the whole machine: net.inet.tcp.keepidle
// and keepintvl.
const keepAliveIdle, keepAliveInterval, keepAliveCount = 0, 0, 0

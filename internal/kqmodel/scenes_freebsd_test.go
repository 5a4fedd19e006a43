package kqmodel

const system = "freebsd"

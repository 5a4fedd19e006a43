package kqmodel

const system = "netbsd"

package kqmodel

const system = "openbsd"

package kqmodel

const system = "dragonfly"

package kqmodel

const system = "darwin"

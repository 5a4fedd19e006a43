//go:build !kqueue_model

package net

const messagesAllocate = false

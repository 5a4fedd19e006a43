//go:build !purego && !coro_nested

#include "textflag.h"

// func threadRecord() uintptr
TEXT ·threadRecord(SB), NOSPLIT, $0-4
	MOVL (TLS), AX
	MOVL 24(AX), AX
	MOVL AX, ret+0(FP)
	RET

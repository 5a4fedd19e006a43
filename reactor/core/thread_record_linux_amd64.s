//go:build !purego && !coro_nested

#include "textflag.h"

// func threadRecord() uintptr
TEXT ·threadRecord(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ 48(AX), AX
	MOVQ AX, ret+0(FP)
	RET

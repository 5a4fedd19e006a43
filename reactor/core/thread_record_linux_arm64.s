//go:build !purego && !coro_nested

#include "textflag.h"

// func threadRecord() uintptr
TEXT ·threadRecord(SB), NOSPLIT, $0-8
	MOVD 48(g), R0
	MOVD R0, ret+0(FP)
	RET

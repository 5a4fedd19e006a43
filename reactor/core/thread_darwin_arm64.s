//go:build !purego && !coro_nested

#include "textflag.h"

// func threadID() uint64
TEXT ·threadID(SB), NOSPLIT, $0-8
	WORD $0xd53bd060 // MRS TPIDRRO_EL0, R0
	AND $~7, R0      // the low bits may hold the processor's number
	MOVD R0, ret+0(FP)
	RET

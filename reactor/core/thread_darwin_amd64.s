//go:build !purego && !coro_nested

#include "textflag.h"

// func threadID() uint64
TEXT ·threadID(SB), NOSPLIT, $0-8
	MOVQ 0(GS), AX // slot 0: the address itself
	MOVQ AX, ret+0(FP)
	RET

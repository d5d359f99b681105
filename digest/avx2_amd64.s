#include "textflag.h"

// AVX2 has no rotation and two operands to a function.

// TURN is rotation to the right, as x >> n xor x << (32-n), xored into acc.
#define TURN(x, n, m, acc, tmp) \
	VPSRLD $n, x, tmp; \
	VPXOR  tmp, acc, acc; \
	VPSLLD $m, x, tmp; \
	VPXOR  tmp, acc, acc

#define ROUND(a, b, c, d, e, f, g, h, k) \
	VPBROADCASTD k(R9), Y8; \
	VPADDD Y8, Y12, Y12; \
	VPADDD Y12, h, h; \
	VPSRLD $6, e, Y8; \
	VPSLLD $26, e, Y9; \
	VPXOR  Y9, Y8, Y8; \
	TURN(e, 11, 21, Y8, Y9); \
	TURN(e, 25, 7, Y8, Y10); \
	VPXOR  f, g, Y11; \
	VPAND  e, Y11, Y11; \
	VPXOR  g, Y11, Y11; \
	VPADDD Y8, h, h; \
	VPADDD Y11, h, h; \
	VPADDD h, d, d; \
	VPSRLD $2, a, Y8; \
	VPSLLD $30, a, Y9; \
	VPXOR  Y9, Y8, Y8; \
	TURN(a, 13, 19, Y8, Y9); \
	TURN(a, 22, 10, Y8, Y10); \
	VPOR   a, b, Y9; \
	VPAND  c, Y9, Y9; \
	VPAND  a, b, Y10; \
	VPOR   Y10, Y9, Y9; \
	VPADDD Y8, h, h; \
	VPADDD Y9, h, h

#define EXTEND \
	VPSRLD $3, Y8, Y10; \
	VPSRLD $10, Y9, Y13; \
	TURN(Y8, 7, 25, Y10, Y11); \
	TURN(Y9, 17, 15, Y13, Y14); \
	TURN(Y8, 18, 14, Y10, Y11); \
	TURN(Y9, 19, 13, Y13, Y14); \
	VPADDD Y10, Y12, Y12; \
	VPADDD Y13, Y12, Y12

#define BLOCKS ·blocksAVX2
#include "lanes_amd64.h"

// func hasSHA() bool
TEXT ·hasSHA(SB), NOSPLIT, $0-1
	MOVL $7, AX // structured extended features; bit 29 of EBX
	XORL CX, CX
	CPUID
	SHRL $29, BX
	ANDL $1, BX
	MOVB BX, ret+0(FP)
	RET

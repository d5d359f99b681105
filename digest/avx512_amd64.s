#include "textflag.h"

// AVX-512VL rotates, and computes any function of three operands from its truth
// table: 0x96 is their xor, 0xCA "choose" and 0xE8 "majority". Half the
// instructions of AVX2.

#define ROUND(a, b, c, d, e, f, g, h, k) \
	VPADDD.BCST k(R9), Y12, Y12; \
	VPRORD $6, e, Y8; \
	VPRORD $11, e, Y9; \
	VPRORD $25, e, Y10; \
	VPADDD Y12, h, h; \
	VMOVDQA e, Y11; \
	VPTERNLOGD $0x96, Y10, Y9, Y8; \
	VPTERNLOGD $0xCA, g, f, Y11; \
	VPADDD Y11, h, h; \
	VPADDD Y8, h, h; \
	VPRORD $2, a, Y8; \
	VPRORD $13, a, Y9; \
	VPRORD $22, a, Y10; \
	VPADDD h, d, d; \
	VMOVDQA a, Y11; \
	VPTERNLOGD $0x96, Y10, Y9, Y8; \
	VPTERNLOGD $0xE8, c, b, Y11; \
	VPADDD Y8, h, h; \
	VPADDD Y11, h, h

#define EXTEND \
	VPSRLD $3, Y8, Y10; \
	VPSRLD $10, Y9, Y13; \
	VPRORD $7, Y8, Y11; \
	VPRORD $18, Y8, Y8; \
	VPRORD $17, Y9, Y14; \
	VPRORD $19, Y9, Y9; \
	VPTERNLOGD $0x96, Y11, Y8, Y10; \
	VPTERNLOGD $0x96, Y14, Y9, Y13; \
	VPADDD Y10, Y12, Y12; \
	VPADDD Y13, Y12, Y12

#define BLOCKS ·blocksAVX512
#include "lanes_amd64.h"

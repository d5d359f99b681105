// SHA-256 (FIPS 180-4, section 6.2) of eight messages side by side: lane l of
// every register belongs to message l. Y0 to Y7 are the working variables, which
// change places from round to round; the last 16 words of the message schedule
// stand on the stack, 32 bytes each.
//
// The file that includes this one defines, for the instructions it may use,
//
//	ROUND(a, b, c, d, e, f, g, h, k)
//		one round of step 3 with the word of the schedule in Y12 and the
//		constant at offset k of R9
//	EXTEND
//		Y12 += s0(Y8) + s1(Y9), the two functions of step 1
//	BLOCKS
//		the name of the function
//
// Both macros may use Y8 to Y15.

// GIVEN is a round with word t of the message, t < 16.
#define GIVEN(a, b, c, d, e, f, g, h, t) \
	VMOVDQU (32*t)(R8), Y12; \
	ROUND(a, b, c, d, e, f, g, h, 4*t)

// MADE is a round with a word of the schedule made of earlier ones:
// s1(w[t-2]) + w[t-7] + s0(w[t-15]) + w[t-16], by their places.
#define MADE(a, b, c, d, e, f, g, h, t, t2, t7, t15) \
	VMOVDQU (32*t15)(R8), Y8; \
	VMOVDQU (32*t2)(R8), Y9; \
	VMOVDQU (32*t)(R8), Y12; \
	VPADDD  (32*t7)(R8), Y12, Y12; \
	EXTEND; \
	VMOVDQU Y12, (32*t)(R8); \
	ROUND(a, b, c, d, e, f, g, h, 4*t)

// WORDS reads eight words of each message at offset off, big endian, and stores
// them as words t to t+7 of the schedule: an 8×8 transposition, as pairs of
// words, pairs of pairs and halves.
#define WORDS(off, t) \
	VMOVDQU off(R10)(DX*1), Y0; \
	VMOVDQU off(R11)(DX*1), Y1; \
	VMOVDQU off(R12)(DX*1), Y2; \
	VMOVDQU off(R13)(DX*1), Y3; \
	VMOVDQU off(AX)(DX*1), Y4; \
	VMOVDQU off(BX)(DX*1), Y5; \
	VMOVDQU off(SI)(DX*1), Y6; \
	VMOVDQU off(R15)(DX*1), Y7; \
	VPUNPCKLDQ Y1, Y0, Y8; \
	VPUNPCKHDQ Y1, Y0, Y9; \
	VPUNPCKLDQ Y3, Y2, Y10; \
	VPUNPCKHDQ Y3, Y2, Y11; \
	VPUNPCKLDQ Y5, Y4, Y12; \
	VPUNPCKHDQ Y5, Y4, Y13; \
	VPUNPCKLDQ Y7, Y6, Y14; \
	VPUNPCKHDQ Y7, Y6, Y15; \
	VPUNPCKLQDQ Y10, Y8, Y0; \
	VPUNPCKHQDQ Y10, Y8, Y1; \
	VPUNPCKLQDQ Y11, Y9, Y2; \
	VPUNPCKHQDQ Y11, Y9, Y3; \
	VPUNPCKLQDQ Y14, Y12, Y4; \
	VPUNPCKHQDQ Y14, Y12, Y5; \
	VPUNPCKLQDQ Y15, Y13, Y6; \
	VPUNPCKHQDQ Y15, Y13, Y7; \
	VMOVDQU bigEndian<>(SB), Y15; \
	HALVES(Y0, Y4, t, t+4); \
	HALVES(Y1, Y5, t+1, t+5); \
	HALVES(Y2, Y6, t+2, t+6); \
	HALVES(Y3, Y7, t+3, t+7)

#define HALVES(x, y, t, u) \
	VPERM2I128 $0x20, y, x, Y8; \
	VPERM2I128 $0x31, y, x, Y9; \
	VPSHUFB Y15, Y8, Y8; \
	VPSHUFB Y15, Y9, Y9; \
	VMOVDQU Y8, (32*(t))(R8); \
	VMOVDQU Y9, (32*(u))(R8)

#define LOADSTATE \
	VMOVDQU 0(DI), Y0; \
	VMOVDQU 32(DI), Y1; \
	VMOVDQU 64(DI), Y2; \
	VMOVDQU 96(DI), Y3; \
	VMOVDQU 128(DI), Y4; \
	VMOVDQU 160(DI), Y5; \
	VMOVDQU 192(DI), Y6; \
	VMOVDQU 224(DI), Y7

#define ADDSTATE(r, off) \
	VPADDD off(DI), r, r; \
	VMOVDQU r, off(DI)

// func(state *[8][8]uint32, at *[8]*byte, n int)
TEXT BLOCKS(SB), NOSPLIT, $576-24
	MOVQ state+0(FP), DI
	MOVQ at+8(FP), R9
	MOVQ n+16(FP), CX
	LEAQ 31(SP), R8
	ANDQ $~31, R8 // words of the schedule on whole cache lines
	MOVQ 0(R9), R10
	MOVQ 8(R9), R11
	MOVQ 16(R9), R12
	MOVQ 24(R9), R13
	MOVQ 32(R9), AX
	MOVQ 40(R9), BX
	MOVQ 48(R9), SI
	MOVQ 56(R9), R15
	SHLQ $6, CX
	XORQ DX, DX

block:
	WORDS(0, 0)
	WORDS(32, 8)
	LOADSTATE
	LEAQ constants<>(SB), R9
	GIVEN(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, 0)
	GIVEN(Y7, Y0, Y1, Y2, Y3, Y4, Y5, Y6, 1)
	GIVEN(Y6, Y7, Y0, Y1, Y2, Y3, Y4, Y5, 2)
	GIVEN(Y5, Y6, Y7, Y0, Y1, Y2, Y3, Y4, 3)
	GIVEN(Y4, Y5, Y6, Y7, Y0, Y1, Y2, Y3, 4)
	GIVEN(Y3, Y4, Y5, Y6, Y7, Y0, Y1, Y2, 5)
	GIVEN(Y2, Y3, Y4, Y5, Y6, Y7, Y0, Y1, 6)
	GIVEN(Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y0, 7)
	GIVEN(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, 8)
	GIVEN(Y7, Y0, Y1, Y2, Y3, Y4, Y5, Y6, 9)
	GIVEN(Y6, Y7, Y0, Y1, Y2, Y3, Y4, Y5, 10)
	GIVEN(Y5, Y6, Y7, Y0, Y1, Y2, Y3, Y4, 11)
	GIVEN(Y4, Y5, Y6, Y7, Y0, Y1, Y2, Y3, 12)
	GIVEN(Y3, Y4, Y5, Y6, Y7, Y0, Y1, Y2, 13)
	GIVEN(Y2, Y3, Y4, Y5, Y6, Y7, Y0, Y1, 14)
	GIVEN(Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y0, 15)

sixteen:
	ADDQ $64, R9
	MADE(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, 0, 14, 9, 1)
	MADE(Y7, Y0, Y1, Y2, Y3, Y4, Y5, Y6, 1, 15, 10, 2)
	MADE(Y6, Y7, Y0, Y1, Y2, Y3, Y4, Y5, 2, 0, 11, 3)
	MADE(Y5, Y6, Y7, Y0, Y1, Y2, Y3, Y4, 3, 1, 12, 4)
	MADE(Y4, Y5, Y6, Y7, Y0, Y1, Y2, Y3, 4, 2, 13, 5)
	MADE(Y3, Y4, Y5, Y6, Y7, Y0, Y1, Y2, 5, 3, 14, 6)
	MADE(Y2, Y3, Y4, Y5, Y6, Y7, Y0, Y1, 6, 4, 15, 7)
	MADE(Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y0, 7, 5, 0, 8)
	MADE(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, 8, 6, 1, 9)
	MADE(Y7, Y0, Y1, Y2, Y3, Y4, Y5, Y6, 9, 7, 2, 10)
	MADE(Y6, Y7, Y0, Y1, Y2, Y3, Y4, Y5, 10, 8, 3, 11)
	MADE(Y5, Y6, Y7, Y0, Y1, Y2, Y3, Y4, 11, 9, 4, 12)
	MADE(Y4, Y5, Y6, Y7, Y0, Y1, Y2, Y3, 12, 10, 5, 13)
	MADE(Y3, Y4, Y5, Y6, Y7, Y0, Y1, Y2, 13, 11, 6, 14)
	MADE(Y2, Y3, Y4, Y5, Y6, Y7, Y0, Y1, 14, 12, 7, 15)
	MADE(Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y0, 15, 13, 8, 0)
	LEAQ constants<>+192(SB), R14
	CMPQ R9, R14
	JNE  sixteen

	ADDSTATE(Y0, 0)
	ADDSTATE(Y1, 32)
	ADDSTATE(Y2, 64)
	ADDSTATE(Y3, 96)
	ADDSTATE(Y4, 128)
	ADDSTATE(Y5, 160)
	ADDSTATE(Y6, 192)
	ADDSTATE(Y7, 224)
	ADDQ $64, DX
	CMPQ DX, CX
	JNE  block
	VZEROUPPER
	RET

// The order of bytes that makes big-endian words of four.
DATA bigEndian<>+0(SB)/8, $0x0405060700010203
DATA bigEndian<>+8(SB)/8, $0x0c0d0e0f08090a0b
DATA bigEndian<>+16(SB)/8, $0x0405060700010203
DATA bigEndian<>+24(SB)/8, $0x0c0d0e0f08090a0b
GLOBL bigEndian<>(SB), RODATA|NOPTR, $32

// The constants of section 4.2.2.
DATA constants<>+0(SB)/8, $0x71374491428a2f98
DATA constants<>+8(SB)/8, $0xe9b5dba5b5c0fbcf
DATA constants<>+16(SB)/8, $0x59f111f13956c25b
DATA constants<>+24(SB)/8, $0xab1c5ed5923f82a4
DATA constants<>+32(SB)/8, $0x12835b01d807aa98
DATA constants<>+40(SB)/8, $0x550c7dc3243185be
DATA constants<>+48(SB)/8, $0x80deb1fe72be5d74
DATA constants<>+56(SB)/8, $0xc19bf1749bdc06a7
DATA constants<>+64(SB)/8, $0xefbe4786e49b69c1
DATA constants<>+72(SB)/8, $0x240ca1cc0fc19dc6
DATA constants<>+80(SB)/8, $0x4a7484aa2de92c6f
DATA constants<>+88(SB)/8, $0x76f988da5cb0a9dc
DATA constants<>+96(SB)/8, $0xa831c66d983e5152
DATA constants<>+104(SB)/8, $0xbf597fc7b00327c8
DATA constants<>+112(SB)/8, $0xd5a79147c6e00bf3
DATA constants<>+120(SB)/8, $0x1429296706ca6351
DATA constants<>+128(SB)/8, $0x2e1b213827b70a85
DATA constants<>+136(SB)/8, $0x53380d134d2c6dfc
DATA constants<>+144(SB)/8, $0x766a0abb650a7354
DATA constants<>+152(SB)/8, $0x92722c8581c2c92e
DATA constants<>+160(SB)/8, $0xa81a664ba2bfe8a1
DATA constants<>+168(SB)/8, $0xc76c51a3c24b8b70
DATA constants<>+176(SB)/8, $0xd6990624d192e819
DATA constants<>+184(SB)/8, $0x106aa070f40e3585
DATA constants<>+192(SB)/8, $0x1e376c0819a4c116
DATA constants<>+200(SB)/8, $0x34b0bcb52748774c
DATA constants<>+208(SB)/8, $0x4ed8aa4a391c0cb3
DATA constants<>+216(SB)/8, $0x682e6ff35b9cca4f
DATA constants<>+224(SB)/8, $0x78a5636f748f82ee
DATA constants<>+232(SB)/8, $0x8cc7020884c87814
DATA constants<>+240(SB)/8, $0xa4506ceb90befffa
DATA constants<>+248(SB)/8, $0xc67178f2bef9a3f7
GLOBL constants<>(SB), RODATA|NOPTR, $256

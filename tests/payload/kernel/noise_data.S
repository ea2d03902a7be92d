/* SPDX-License-Identifier: MIT */
/*
 * noise_data.S - puts random bytes, which the program noise has written, into the test
 * kernel noise.elf, so that this kernel cannot be compressed.
 */
	.section .noise, "aw"
	.incbin "noise.bin"

	.section .note.GNU-stack, "", @progbits

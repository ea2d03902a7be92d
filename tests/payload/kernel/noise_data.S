/* SPDX-License-Identifier: MIT */
/*
 * noise_data.S - the bytes that make noise.elf incompressible.
 */
	.section .noise, "aw"
	.incbin "noise.bin"

	.section .note.GNU-stack, "", @progbits

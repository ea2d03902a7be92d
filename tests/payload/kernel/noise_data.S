/* SPDX-License-Identifier: MIT */
/*
 * noise_data.S - adds the output of the program noise to noise.elf, so that the
 * kernel cannot be compressed.
 */
	.section .noise, "aw"
	.incbin "noise.bin"

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT */
/*
 * sev-vc.c - the #VC handlers of stage 2, which begins when sev_es_setup_ghcb() has
 * shared the GHCB page. They handle every exit through this page. sev-cpuid.c has
 * stage 1, which comes before, and CPUID.
 *
 * The hypervisor can raise #VC at any instruction and with any exit code. The
 * instruction at RIP therefore decides what is emulated, and it must be one
 * that can cause the exit code. The code here must not raise #VC itself, so it
 * executes neither CPUID nor port I/O.
 */
#include "e820.h"
#include "ghcb.h"
#include "ident_map.h"
#include "image.h"
#include "insn.h"
#include "lib/string.h"
#include "sev-snp.h"
#include "sev-vc.h"
#include "sev.h"
#include "x86.h"

/*
 * True if the interrupted string instruction goes from higher to lower
 * addresses.
 */
#define DIRECTION_DOWN(frame)	((frame)->rflags & X86_EFLAGS_DF)

/*
 * ---- General-purpose registers, in the order in which instructions number
 * them.
 */

static void regs_load(struct vc *vc)
{
	const struct exception_frame *f = vc->frame;
	const u64 regs[INSN_REGS] = {
		f->rax, f->rcx, f->rdx, f->rbx, f->rsp, f->rbp, f->rsi, f->rdi,
		f->r8, f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15,
	};

	memcpy(vc->regs, regs, sizeof(regs));
}

static void regs_store(struct vc *vc)
{
	struct exception_frame *f = vc->frame;
	const u64 *regs = vc->regs;

	f->rax = regs[INSN_RAX];
	f->rcx = regs[INSN_RCX];
	f->rdx = regs[INSN_RDX];
	f->rbx = regs[INSN_RBX];
	f->rsp = regs[INSN_RSP];
	f->rbp = regs[INSN_RBP];
	f->rsi = regs[INSN_RSI];
	f->rdi = regs[INSN_RDI];
	f->r8 = regs[INSN_R8];
	f->r9 = regs[INSN_R9];
	f->r10 = regs[INSN_R10];
	f->r11 = regs[INSN_R11];
	f->r12 = regs[INSN_R12];
	f->r13 = regs[INSN_R13];
	f->r14 = regs[INSN_R14];
	f->r15 = regs[INSN_R15];
}

static u64 low_bytes(u64 value, unsigned int size)
{
	return size >= sizeof(u64) ? value : value & ((1ULL << size * 8) - 1);
}

/*
 * Writes the low @size bytes of a register as the processor does (APM1 3.1.2):
 * 4 bytes clear the upper half, fewer bytes keep the rest.
 */
static void write_reg(u64 *reg, u64 value, unsigned int size)
{
	if (size >= sizeof(u32))
		*reg = low_bytes(value, size);
	else
		*reg = (*reg & ~low_bytes(~0ULL, size)) | low_bytes(value, size);
}

/*
 * Returns the register operand. Its number was on the stack, where the hypervisor can put
 * old contents back. The remainder always names a register, and no other memory.
 */
static u64 *operand_reg(struct vc *vc)
{
	return &vc->regs[READ_ONCE(vc->insn.reg) % INSN_REGS];
}

/*
 * Adds @bytes to a string instruction's address register, or subtracts them if
 * the direction flag is set. With 32-bit addresses the register's upper half
 * becomes 0.
 */
static void step_reg(struct vc *vc, unsigned int reg, u64 bytes)
{
	u64 value = DIRECTION_DOWN(vc->frame) ? vc->regs[reg] - bytes :
						vc->regs[reg] + bytes;

	write_reg(&vc->regs[reg], value, vc->insn.address_size);
}

/*
 * Returns how often a string instruction still has to execute: RCX with a REP
 * prefix, otherwise once.
 */
static u64 repetitions(const struct vc *vc)
{
	return vc->insn.rep ? low_bytes(vc->regs[INSN_RCX],
					vc->insn.address_size) : 1;
}

static void count_down(struct vc *vc, u64 done)
{
	u64 left = repetitions(vc) - done;

	if (!vc->insn.rep)
		return;
	/*
	 * With 32-bit addresses only ECX counts, and the upper half of RCX
	 * becomes 0 (APM3 1.2.3).
	 */
	vc->regs[INSN_RCX] = left;
	vc->again = left != 0;
}

/*
 * Terminates the guest unless @addr lies from emulated_start to emulated_end, where handlers
 * emulate instructions or accesses to devices. An SEV-ES guest's stub executes nothing that
 * raises #VC once the GHCB page is shared. In the stub the range is therefore empty, and the
 * guest always terminates; only tests have a range. Without the check the hypervisor could
 * inject a #VC anywhere and change fetch_insn()'s copy of the instruction on the stack. The
 * handler would then send registers to the hypervisor, and would load the hypervisor's values
 * into registers of the interrupted code.
 */
static inline __attribute__((always_inline)) void
check_emulated(u64 addr)
{
	HOLD(check_emulated, addr);
	if (addr - ADDRESS_ANEW(emulated_start) >=
	    ADDRESS_ANEW(emulated_end) - ADDRESS_ANEW(emulated_start))
		terminate(SEVSTUB_TERM_OPCODE);
	RELEASE(check_emulated);
}

static u64 segment_base(const struct vc *vc)
{
	switch (vc->insn.segment) {
	case INSN_SEG_FS:
		return rdmsr(MSR_FS_BASE);
	case INSN_SEG_GS:
		return rdmsr(MSR_GS_BASE);
	}
	return 0;
}

static u64 operand_address(const struct vc *vc)
{
	return insn_address(&vc->insn, vc->regs, vc->frame->rip,
			    segment_base(vc));
}

/* ---- Instructions whose operands are registers. */

/*
 * Sends a request whose result is 64 bits in EDX:EAX, as RDTSC, RDTSCP, RDPMC and
 * RDMSR return it.
 */
static unsigned int exchange_edx_eax(struct vc *vc, u64 exit_code)
{
	unsigned int vector = ghcb_exchange(exit_code, 0, 0);

	if (vector)
		return vector;
	vc->regs[INSN_RAX] = (u32)ghcb_output(rax);
	vc->regs[INSN_RDX] = (u32)ghcb_output(rdx);
	return 0;
}

static unsigned int vc_rdtscp(struct vc *vc)
{
	unsigned int vector = exchange_edx_eax(vc, SVM_EXIT_RDTSCP);

	if (!vector)
		vc->regs[INSN_RCX] = (u32)ghcb_output(rcx);
	return vector;
}

static unsigned int vc_read_by_ecx(struct vc *vc, u64 exit_code)
{
	ghcb_input(rcx, (u32)vc->regs[INSN_RCX]);
	return exchange_edx_eax(vc, exit_code);
}

/*
 * Terminates the guest if the instruction accesses SEV_STATUS or the GHCB MSR. Such
 * an access never raises #VC (APM2 15.34.10, 15.35.7), so the hypervisor has
 * injected this #VC. The hypervisor must not supply the value of SEV_STATUS, which
 * tells the stub which kind of guest this is.
 */
static void check_msr(const struct vc *vc)
{
	u32 msr = (u32)vc->regs[INSN_RCX];

	if (msr == MSR_SEV_STATUS || msr == MSR_GHCB)
		terminate(SEVSTUB_TERM_OPCODE);
}

static unsigned int vc_rdmsr(struct vc *vc)
{
	check_msr(vc);
	return vc_read_by_ecx(vc, SVM_EXIT_MSR);
}

static unsigned int vc_wrmsr(struct vc *vc)
{
	check_msr(vc);
	ghcb_input(rcx, (u32)vc->regs[INSN_RCX]);
	ghcb_input(rax, (u32)vc->regs[INSN_RAX]);
	ghcb_input(rdx, (u32)vc->regs[INSN_RDX]);
	return ghcb_exchange(SVM_EXIT_MSR, SVM_MSR_WRITE, 0);
}

/*
 * Emulates a read of DR7 without a request. KVM ignores an SEV-ES guest's writes to
 * DR7 and returns 0 for a read, so the stub remembers what was written. Before the
 * first write es.dr7 is 0 and the result is DR7's reset value.
 */
static unsigned int vc_read_dr7(struct vc *vc)
{
	*operand_reg(vc) = es.dr7 | DR7_FIXED_1;
	return 0;
}

static unsigned int vc_write_dr7(struct vc *vc)
{
	u64 value = *operand_reg(vc);
	unsigned int vector;

	/* Bits 63:32 of DR7 must be 0 (APM2 13.1.1). */
	if (value >> 32)
		return X86_TRAP_GP;
	value = (value & DR7_WRITABLE) | DR7_FIXED_1;
	ghcb_input(rax, value);
	vector = ghcb_exchange(SVM_EXIT_WRITE_DR7, 0, 0);
	if (!vector)
		es.dr7 = (u32)value;
	return vector;
}

static unsigned int vc_monitor(struct vc *vc)
{
	ghcb_input(rax, vc->regs[INSN_RAX]);
	ghcb_input(rcx, vc->regs[INSN_RCX]);
	ghcb_input(rdx, vc->regs[INSN_RDX]);
	return ghcb_exchange(SVM_EXIT_MONITOR, 0, 0);
}

static unsigned int vc_mwait(struct vc *vc)
{
	ghcb_input(rax, vc->regs[INSN_RAX]);
	ghcb_input(rcx, vc->regs[INSN_RCX]);
	return ghcb_exchange(SVM_EXIT_MWAIT, 0, 0);
}

/*
 * Emulates VMMCALL. The request has only the registers that GHCB 4.1 requires
 * for each hypercall, RAX and CPL. Parameters in other registers are not sent,
 * because the stub itself makes no hypercalls.
 */
static unsigned int vc_vmmcall(struct vc *vc)
{
	unsigned int vector;

	ghcb_input(rax, vc->regs[INSN_RAX]);
	ghcb_input(cpl, vc->frame->cs & SEGMENT_RPL_MASK);
	vector = ghcb_exchange(SVM_EXIT_VMMCALL, 0, 0);
	if (!vector)
		vc->regs[INSN_RAX] = ghcb_output(rax);
	return vector;
}

/* ---- Memory operands. */

/*
 * Makes sure that the handler can access [addr, addr + size), and maps RAM that
 * is not mapped yet. A page fault must not happen while the GHCB page is in
 * use. Returns 0, or X86_TRAP_PF if a page cannot be mapped, is shared with the
 * hypervisor, or is read-only and @write is true.
 */
static unsigned int reach(u64 addr, u64 size, bool write)
{
	u64 page = ALIGN_DOWN(addr, PAGE_SIZE);
	int flags;

	if (addr + size < addr)
		return X86_TRAP_PF;
	for (; page < addr + size; page += PAGE_SIZE) {
		flags = ident_map_query(page);
		if (flags < 0) {
			if (ident_map_fault(page, write ? PF_WRITE : 0))
				return X86_TRAP_PF;
			continue;
		}
		if (flags & MAP_DECRYPTED || (write && !(flags & MAP_WRITE)))
			return X86_TRAP_PF;
	}
	return 0;
}

/* Returns true if the page at @addr is mapped shared with the hypervisor. */
static bool is_decrypted(u64 addr)
{
	int flags = ident_map_query(addr);

	return flags >= 0 && flags & MAP_DECRYPTED;
}

/*
 * Terminates the guest unless [addr, addr + size) is mapped shared and is not
 * RAM, as device registers are. A nested page fault at any other address is an
 * attempt of the hypervisor to read or change the guest's data. The NAE self-test accesses
 * devices, and for it the function can return. The stub accesses none, so in the stub the
 * function always terminates the guest.
 */
static void check_device(u64 addr, unsigned int size)
{
	u64 last = addr + size - 1;
	u64 at;

	for (at = addr; ; at = last) {
		if (!is_decrypted(at))
			terminate(SEVSTUB_TERM_NPF_PRIVATE);
		/* The GHCB page is RAM, even if the hypervisor has changed the E820 map. */
		if ((at ^ (u64)&ghcb_page) < GHCB_SIZE ||
		    e820_is_ram(es.bp, at, at + 1))
			terminate(SEVSTUB_TERM_NPF_RAM);
		if (at == last)
			break;
	}
	check_emulated(addr);
}

/*
 * mmio_read() and mmio_write() always copy eight bytes between the GHCB page and a
 * register. @size was on the stack, where the hypervisor can put old contents back. A
 * copy of @size bytes could thus reach other values on the stack.
 */
static unsigned int mmio_read(u64 addr, unsigned int size, u64 *value)
{
	unsigned int vector;

	check_device(addr, size);
	ghcb_input(sw_scratch, (u64)shared_buffer());
	vector = ghcb_exchange(SVM_VMGEXIT_MMIO_READ, addr, size);
	*value = vector ? 0 :
		 low_bytes(*(const volatile u64 *)shared_buffer(), size);
	return vector;
}

static unsigned int mmio_write(u64 addr, unsigned int size, u64 value)
{
	check_device(addr, size);
	*(volatile u64 *)shared_buffer() = low_bytes(value, size);
	ghcb_input(sw_scratch, (u64)shared_buffer());
	return ghcb_exchange(SVM_VMGEXIT_MMIO_WRITE, addr, size);
}

static u64 read_operand_reg(struct vc *vc)
{
	u64 value = *operand_reg(vc);

	return vc->insn.high_byte ? value >> 8 : value;
}

static void write_operand_reg(struct vc *vc, u64 value)
{
	const struct insn *insn = &vc->insn;
	unsigned int unused = 64 - insn->size * 8;
	u64 *reg = operand_reg(vc);

	if (insn->sign_extend)
		value = (u64)((s64)(value << unused) >> unused);
	if (insn->high_byte)
		*reg = (*reg & ~0xff00ULL) | (value & 0xff) << 8;
	else
		write_reg(reg, value, insn->reg_size);
}

/*
 * Emulates one element of STOS. With a REP prefix the processor executes the
 * instruction again for the next element.
 */
static unsigned int vc_mmio_stos(struct vc *vc)
{
	unsigned int size = vc->insn.size;
	unsigned int vector;

	if (!repetitions(vc))
		return 0;
	vector = mmio_write(operand_address(vc), size, vc->regs[INSN_RAX]);
	if (vector)
		return vector;
	step_reg(vc, INSN_RDI, size);
	count_down(vc, 1);
	return 0;
}

/*
 * Copies an element of MOVS. @size is compared in a register right before the copy,
 * because the hypervisor can put an old size back on the stack.
 */
static inline __attribute__((always_inline)) void
copy_element(void *to, const void *from, unsigned int size)
{
	HOLD(copy_element, to, from, size);
	if (size > sizeof(u64))
		terminate(SEVSTUB_TERM_OPCODE);
	memcpy(to, from, size);
}

/*
 * Emulates one element of MOVS between memory and a device. If the source is
 * mapped shared, the source is the device. Otherwise the destination must be
 * the device.
 */
static unsigned int vc_mmio_movs(struct vc *vc)
{
	unsigned int size = vc->insn.size;
	u64 from = operand_address(vc);
	u64 to = insn_movs_destination(&vc->insn, vc->regs);
	bool from_device = is_decrypted(from);
	unsigned int vector;
	u64 value = 0;

	if (!repetitions(vc))
		return 0;
	/*
	 * check_device() terminates the guest if the operand is not a device's register. It
	 * must run before reach() maps a page and before anything is copied.
	 */
	check_device(from_device ? from : to, size);
	if (from_device) {
		vector = reach(to, size, true);
		if (!vector)
			vector = mmio_read(from, size, &value);
		if (vector)
			return vector;
		copy_element((void *)to, &value, size);
	} else {
		vector = reach(from, size, false);
		if (vector)
			return vector;
		copy_element(&value, (const void *)from, size);
		vector = mmio_write(to, size, value);
		if (vector)
			return vector;
	}
	step_reg(vc, INSN_RSI, size);
	step_reg(vc, INSN_RDI, size);
	count_down(vc, 1);
	return 0;
}

static unsigned int vc_mmio(struct vc *vc)
{
	const struct insn *insn = &vc->insn;
	unsigned int vector;
	u64 value;

	switch (insn->op) {
	case INSN_LOAD:
		vector = mmio_read(operand_address(vc), insn->size, &value);
		if (!vector)
			write_operand_reg(vc, value);
		return vector;
	case INSN_STORE:
		return mmio_write(operand_address(vc), insn->size,
				  read_operand_reg(vc));
	case INSN_STORE_IMM:
		return mmio_write(operand_address(vc), insn->size, insn->imm);
	case INSN_STOS:
		return vc_mmio_stos(vc);
	case INSN_MOVS:
		return vc_mmio_movs(vc);
	default:
		terminate(SEVSTUB_TERM_OPCODE);
	}
}

/* ---- Port I/O. sw_exit_info_1 has the format of EXITINFO1 (APM2 15.10.2). */

static u64 ioio_info(const struct vc *vc, bool in)
{
	const struct insn *insn = &vc->insn;
	u64 port = insn->port_dx ? (u16)vc->regs[INSN_RDX] : insn->port;

	return port << SVM_IOIO_PORT_SHIFT |
	       (u64)insn->size << SVM_IOIO_SIZE_SHIFT |
	       (in ? SVM_IOIO_IN : 0);
}

static unsigned int vc_in(struct vc *vc)
{
	unsigned int vector;

	/*
	 * An IN of 1 or 2 bytes keeps the other bits of RAX. write_reg()
	 * combines them with the reply, so RAX is not sent to the hypervisor.
	 */
	vector = ghcb_exchange(SVM_EXIT_IOIO, ioio_info(vc, true), 0);
	if (!vector)
		write_reg(&vc->regs[INSN_RAX], ghcb_output(rax), vc->insn.size);
	return vector;
}

static unsigned int vc_out(struct vc *vc)
{
	ghcb_input(rax, low_bytes(vc->regs[INSN_RAX], vc->insn.size));
	return ghcb_exchange(SVM_EXIT_IOIO, ioio_info(vc, false), 0);
}

/*
 * Returns the lowest address of @count elements of a string instruction. The
 * instruction accesses the element at @addr first.
 */
static u64 string_start(const struct vc *vc, u64 addr, u64 count)
{
	return DIRECTION_DOWN(vc->frame) ?
	       addr - (count - 1) * vc->insn.size : addr;
}

/*
 * Copies an element of INS (@in is true) or OUTS between the shared buffer at @buffer and the
 * memory at @addr. @addr and @size were on the stack, where the hypervisor can put old contents
 * back. They are therefore compared in registers right before the copy: @addr must lie from
 * string_io_start to string_io_end, and @size must be at most 8. copy_io() is not inlined,
 * because a compiler could then keep these limits on the stack while copy_elements() loops.
 */
static noinline void copy_io(u64 addr, u8 *buffer, unsigned int size, bool in)
{
	HOLD(copy_io, addr, buffer, size, in);
	if (addr - (u64)string_io_start >=
	    (u64)string_io_end - (u64)string_io_start)
		terminate(SEVSTUB_TERM_OPCODE);
	if (in)
		copy_element((void *)addr, buffer, size);
	else
		copy_element(buffer, (const void *)addr, size);
}

/*
 * Copies @count elements between memory and the GHCB page's shared buffer, for
 * INS (@in is true) or OUTS. The buffer holds them in the order in which they
 * pass through the port.
 */
static void copy_elements(const struct vc *vc, u64 addr, u64 count, bool in)
{
	unsigned int size = vc->insn.size;
	u8 *buffer = shared_buffer();
	u64 i;

	for (i = 0; i < count; i++, buffer += size) {
		copy_io(addr, buffer, size, in);
		addr = DIRECTION_DOWN(vc->frame) ? addr - size : addr + size;
	}
}

/*
 * Returns how many further elements a string instruction can access after its first
 * element before its address register wraps around.
 */
static u64 elements_to_wrap(const struct vc *vc)
{
	u64 max = low_bytes(~0ULL, vc->insn.address_size);
	u64 offset = vc->regs[vc->insn.base] & max;
	u64 room = DIRECTION_DOWN(vc->frame) ? offset : max - offset;

	return room / vc->insn.size;
}

/*
 * Emulates INS or OUTS for as many elements as fit into the shared buffer. If
 * more remain, the processor executes the instruction again.
 */
static unsigned int vc_string_io(struct vc *vc, bool in)
{
	const struct insn *insn = &vc->insn;
	u64 addr = operand_address(vc);
	u64 count = repetitions(vc);
	u64 info = ioio_info(vc, in) | SVM_IOIO_STR |
		   (insn->rep ? SVM_IOIO_REP : 0) |
		   (u64)insn->segment << SVM_IOIO_SEG_SHIFT |
		   (insn->address_size == 8 ? SVM_IOIO_ADDR64 : SVM_IOIO_ADDR32);
	unsigned int vector;

	/*
	 * With a REP prefix and a count of 0 the instruction does nothing, so
	 * no request is needed.
	 */
	if (!count)
		return 0;
	if (count > GHCB_SHARED_BUFFER_SIZE / insn->size)
		count = GHCB_SHARED_BUFFER_SIZE / insn->size;
	if (count - 1 > elements_to_wrap(vc))
		count = elements_to_wrap(vc) + 1;

	vector = reach(string_start(vc, addr, count), count * insn->size, in);
	if (vector)
		return vector;
	if (!in)
		copy_elements(vc, addr, count, in);
	ghcb_input(sw_scratch, (u64)shared_buffer());
	vector = ghcb_exchange(SVM_EXIT_IOIO, info, count);
	if (vector)
		return vector;
	if (in)
		copy_elements(vc, addr, count, in);

	step_reg(vc, in ? INSN_RDI : INSN_RSI, count * insn->size);
	count_down(vc, count);
	return 0;
}

/* ---- Stage 2. */

/*
 * Copies the bytes of the instruction at RIP, which must be in .text, and decodes the
 * copy. RIP and the bytes are read only once, so that they cannot change between the
 * decoder's steps. Returns RIP.
 */
static u64 fetch_insn(struct vc *vc)
{
	u8 bytes[INSN_MAX_LENGTH];
	u64 rip = READ_ONCE(vc->frame->rip);
	u64 end = ADDRESS_ANEW(_etext), size = end - rip;

	if (size - 1 >= end - ADDRESS_ANEW(_text))
		terminate(SEVSTUB_TERM_DECODE);
	if (size > sizeof(bytes))
		size = sizeof(bytes);
	memcpy(bytes, (const void *)rip, size);
	if (insn_decode(&vc->insn, bytes, size) != INSN_OK)
		terminate(SEVSTUB_TERM_DECODE);
	return rip;
}

/*
 * Emulates the decoded instruction at @rip. Returns 0, or the vector of the exception
 * that the instruction raises. check_emulated() is not called here for accesses to devices,
 * because check_device() calls it, after checks with termination codes of their own.
 */
static noinline unsigned int vc_dispatch(struct vc *vc, u64 rip)
{
	/* Read once, so that the host cannot change the operation between check and use. */
	enum insn_op op = READ_ONCE(vc->insn.op);

	HOLD(vc_dispatch, op);
	if (op < INSN_LOAD)
		check_emulated(rip);
	switch (op) {
	case INSN_CPUID:
		return sev_snp_active() ? vc_snp_cpuid(vc) : vc_cpuid(vc);
	case INSN_RDTSC:
		return exchange_edx_eax(vc, SVM_EXIT_RDTSC);
	case INSN_RDTSCP:
		return vc_rdtscp(vc);
	case INSN_RDPMC:
		return vc_read_by_ecx(vc, SVM_EXIT_RDPMC);
	case INSN_RDMSR:
		return vc_rdmsr(vc);
	case INSN_WRMSR:
		return vc_wrmsr(vc);
	case INSN_WBINVD:
		return ghcb_exchange(SVM_EXIT_WBINVD, 0, 0);
	case INSN_INVD:
		return ghcb_exchange(SVM_EXIT_INVD, 0, 0);
	case INSN_VMMCALL:
		return vc_vmmcall(vc);
	case INSN_MONITOR:
		return vc_monitor(vc);
	case INSN_MWAIT:
		return vc_mwait(vc);
	case INSN_READ_DR7:
		return vc_read_dr7(vc);
	case INSN_WRITE_DR7:
		return vc_write_dr7(vc);
	case INSN_IN:
		return vc_in(vc);
	case INSN_OUT:
		return vc_out(vc);
	case INSN_INS:
		return vc_string_io(vc, true);
	case INSN_OUTS:
		return vc_string_io(vc, false);
	case INSN_LOAD:
	case INSN_STORE:
	case INSN_STORE_IMM:
	case INSN_STOS:
	case INSN_MOVS:
		return vc_mmio(vc);
	}
	terminate(SEVSTUB_TERM_UNSUPPORTED);
}

static bool is_supported(u64 exit_code)
{
	switch (exit_code) {
	case SVM_EXIT_READ_DR7:
	case SVM_EXIT_WRITE_DR7:
	case SVM_EXIT_RDTSC:
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_CPUID:
	case SVM_EXIT_INVD:
	case SVM_EXIT_IOIO:
	case SVM_EXIT_MSR:
	case SVM_EXIT_VMMCALL:
	case SVM_EXIT_RDTSCP:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_NPF:
		return true;
	}
	return false;
}

static unsigned int vc_stage2(struct exception_frame *frame)
{
	struct vc vc = { .frame = frame };
	u64 exit_code = frame->error_code, rip;
	unsigned int vector;

	/*
	 * If the hypervisor intercepts #DB or #AC, the processor raises #VC
	 * instead (APM2 15.35.5). The original exception is reported.
	 */
	if (exit_code == SVM_EXIT_EXCP_DB)
		return X86_TRAP_DB;
	if (exit_code == SVM_EXIT_EXCP_AC)
		return X86_TRAP_AC;
	if (exit_code == SVM_EXIT_NOT_VALIDATED && sev_snp_active())
		terminate(SEVSTUB_TERM_NOT_VALIDATED);

	ghcb_begin();
	if (!is_supported(exit_code)) {
		/*
		 * The exit code was on the stack, where the hypervisor can put old
		 * contents back. Do not send a number that is greater than any exit code,
		 * because it could be other data of the stack.
		 */
		HOLD(unsupported_event, exit_code);
		if (exit_code <= SVM_EXIT_CODE_MAX)
			ghcb_exchange(SVM_VMGEXIT_UNSUPPORTED_EVENT, exit_code, 0);
		terminate(SEVSTUB_TERM_UNSUPPORTED);
	}
	rip = fetch_insn(&vc);
	if (!insn_matches_exit(&vc.insn, exit_code))
		terminate(SEVSTUB_TERM_OPCODE);

	regs_load(&vc);
	vector = vc_dispatch(&vc, rip);
	if (!vector) {
		/*
		 * In the stub check_emulated() always terminates the guest, so that no code
		 * continues with registers from a frame in memory. Only tests run the code
		 * below the call.
		 */
		check_emulated(rip);
		regs_store(&vc);
		frame->rip = vc.again ? rip : rip + vc.insn.length;
	}
	ghcb_end();
	return vector;
}

unsigned int sev_es_vc(struct exception_frame *frame)
{
	return es.has_page ? vc_stage2(frame) : vc_stage1(frame);
}

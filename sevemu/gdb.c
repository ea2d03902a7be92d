/* SPDX-License-Identifier: MIT */
/*
 * gdb.c - gdb's remote serial protocol (GDB manual, "Remote Protocol"), for the guest.
 *
 * Runs with option --gdb.  gdb is connected to a serial port that the guest does not see.
 * QEMU's own gdb stub would show the hypervisor and the ciphertext of private memory.  This
 * file shows the guest's registers, and its memory by linear address as the guest's page
 * tables map it.  gdb can set four breakpoints, because the processor has four.  The guest's
 * writes of DR0 to DR3 are ignored, and the guest does not notice the breakpoints.
 */
#include "gdb.h"
#include "guest_memory.h"
#include "hooks.h"
#include "main.h"
#include "npt.h"
#include "ports.h"
#include "report.h"
#include "sevemu.h"

#define UART_DATA		(PORT_GDB + 0)
#define UART_LINE_CONTROL	(PORT_GDB + 3)
#define UART_MODEM		(PORT_GDB + 4)
#define UART_LINE		(PORT_GDB + 5)
#define UART_8_BITS		0x03
#define UART_DTR_RTS		0x03
#define UART_RECEIVED		0x01
#define UART_CAN_SEND		0x20

#define CTRL_C			0x03
#define BREAKPOINTS		4
#define PACKET_MAX		0x1000
/*
 * The registers that gdb reads.  In gdb's order for i386:x86-64 the first REGISTERS_64 have 8
 * bytes each.  The others, EFLAGS and the six segment selectors, have 4 bytes each.
 */
#define REGISTERS_64		17
#define REGISTERS		24
#define REGISTER_RIP		16
#define REGISTER_EFLAGS		17

static char packet[PACKET_MAX + 1];
static unsigned int sum;		/* checksum of the packet that is being sent */
static u64 breakpoints[BREAKPOINTS];
static bool used[BREAKPOINTS];		/* breakpoints[] has an address */
static bool stepping;

static const char target[] =
	"l<?xml version=\"1.0\"?><target><architecture>i386:x86-64</architecture></target>";

static void send_raw(char c)
{
	while (!(inb(UART_LINE) & UART_CAN_SEND))
		;
	outb(UART_DATA, c);
}

static char receive(void)
{
	while (!(inb(UART_LINE) & UART_RECEIVED))
		;
	return inb(UART_DATA);
}

static void send(char c)
{
	sum += (u8)c;
	send_raw(c);
}

static char digit(unsigned int value)
{
	return "0123456789abcdef"[value & 0xf];
}

static void send_bytes(const void *data, size_t len)
{
	const u8 *p = data;

	for (; len; len--, p++) {
		send(digit(*p >> 4));
		send(digit(*p));
	}
}

static void begin(void)
{
	send_raw('$');
	sum = 0;
}

/* Ends the packet that is sent to gdb.  receive_packet() skips gdb's acknowledgement of it. */
static void finish(void)
{
	unsigned int total = sum;

	send_raw('#');
	send_raw(digit(total >> 4));
	send_raw(digit(total));
}

static void reply(const char *text)
{
	begin();
	while (*text)
		send(*text++);
	finish();
}

/* Returns the value of the hexadecimal digit @c; 16: @c is not a digit. */
static unsigned int value_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* Reads a hexadecimal number at *@p, and moves *@p after it. */
static u64 number(const char **p)
{
	u64 v = 0;

	for (; value_of(**p) < 16; ++*p)
		v = v << 4 | value_of(**p);
	return v;
}

/* Moves *@p after the character @c if *@p is at this character. */
static void skip(const char **p, char c)
{
	if (**p == c)
		++*p;
}

/* Receives gdb's next packet into packet[], without checksum.  Skips bytes between packets. */
static void receive_packet(void)
{
	unsigned int len;
	char c;

	while (receive() != '$')
		;
	for (len = 0; (c = receive()) != '#'; )
		if (len < PACKET_MAX)
			packet[len++] = c;
	packet[len] = '\0';
	receive();
	receive();
	send_raw('+');
}

/* Returns a pointer to the guest's register that gdb numbers @i, one of the 8-byte registers. */
static u64 *register_64(struct vcpu *vcpu, unsigned int i)
{
	static const u8 order[] = {
		RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, 8, 9, 10, 11, 12, 13, 14, 15,
	};

	return i == REGISTER_RIP ? &vcpu->vmcb->rip : &vcpu->gpr[order[i]];
}

/* Returns the value of the guest's register that gdb numbers @i. */
static u64 get_register(struct vcpu *vcpu, unsigned int i)
{
	struct vmcb *v = vcpu->vmcb;
	const u16 selectors[] = {
		v->cs.selector, v->ss.selector, v->ds.selector, v->es.selector,
		v->fs.selector, v->gs.selector,
	};

	if (i < REGISTERS_64)
		return *register_64(vcpu, i);
	if (i == REGISTER_EFLAGS)
		return v->rflags & ~(u64)(stepping ? RFLAGS_TF : 0);
	return selectors[i - REGISTER_EFLAGS - 1];
}

static void send_registers(struct vcpu *vcpu)
{
	unsigned int i;
	u64 value;

	begin();
	for (i = 0; i < REGISTERS; i++) {
		value = get_register(vcpu, i);
		send_bytes(&value, i < REGISTERS_64 ? 8 : 4);
	}
	finish();
}

/* Handles gdb's command "P": sets a register.  Segment registers cannot be changed. */
static void set_register(struct vcpu *vcpu, const char *p)
{
	u64 i = number(&p), value = 0;
	unsigned int shift;

	skip(&p, '=');
	for (shift = 0; value_of(p[0]) < 16 && value_of(p[1]) < 16 && shift < 64; shift += 8) {
		value |= (u64)(value_of(p[0]) << 4 | value_of(p[1])) << shift;
		p += 2;
	}
	if (i < REGISTERS_64)
		*register_64(vcpu, i) = value;
	else if (i == REGISTER_EFLAGS)
		vcpu->vmcb->rflags = value | RFLAGS_FIXED;
	vcpu->vmcb->rsp = vcpu->gpr[RSP];
	reply(i <= REGISTER_EFLAGS ? "OK" : "E01");
}

/*
 * Returns the address at which the hypervisor can access the byte at the guest's linear address
 * @va.  Without SNP, npt_frame() makes the page private or shared first, as the guest's page tables
 * map @va, so that gdb gets the byte that the guest would read.  Returns NULL if @va is not mapped
 * to RAM.
 */
static u8 *byte_at(struct vcpu *vcpu, u64 va)
{
	struct guest_fault fault;
	struct translation t;

	if (!guest_translate(vcpu, va, GUEST_QUIET, &t, &fault))
		return NULL;
	return npt_frame_state(t.gpa) == HOOK_FRAME_NONE ? NULL : npt_frame(t.gpa, t.view);
}

/* Handles gdb's command "m": sends guest memory up to the first byte that is not mapped. */
static void read_memory(struct vcpu *vcpu, const char *p)
{
	u64 va = number(&p), len, i;
	const u8 *byte;

	skip(&p, ',');
	len = number(&p);
	if (len > PACKET_MAX / 2)
		len = PACKET_MAX / 2;
	if (len && !byte_at(vcpu, va)) {
		reply("E14");
		return;
	}
	begin();
	for (i = 0; i < len; i++) {
		byte = byte_at(vcpu, va + i);
		if (!byte)
			break;
		send_bytes(byte, 1);
	}
	finish();
}

/* Handles gdb's command "M": writes the guest's memory. */
static void write_memory(struct vcpu *vcpu, const char *p)
{
	u64 va = number(&p), len;
	u8 *byte;

	skip(&p, ',');
	len = number(&p);
	skip(&p, ':');
	for (; len; len--, va++, p += 2) {
		byte = byte_at(vcpu, va);
		if (!byte || value_of(p[0]) > 15 || value_of(p[1]) > 15) {
			reply("E14");
			return;
		}
		*byte = value_of(p[0]) << 4 | value_of(p[1]);
	}
	reply("OK");
}

/*
 * Loads the breakpoints into the processor.  QEMU's VMRUN does not set the breakpoints of
 * the guest's DR7, so the hypervisor's own DR7 enables them.  The guest's DR7 must enable them
 * as well, because QEMU raises #DB only then.
 */
static void load_breakpoints(struct vcpu *vcpu)
{
	static const u32 enable[BREAKPOINTS] = { DR7_G0, DR7_G1, DR7_G2, DR7_G3 };
	u32 dr7 = DR7_INIT;
	unsigned int i;

	write_dr7(DR7_INIT);
	write_dr0(breakpoints[0]);
	write_dr1(breakpoints[1]);
	write_dr2(breakpoints[2]);
	write_dr3(breakpoints[3]);
	for (i = 0; i < BREAKPOINTS; i++)
		if (used[i])
			dr7 |= enable[i];
	write_dr7(dr7);
	vcpu->vmcb->dr7 = dr7;
}

/*
 * Handles gdb's commands "Z" (@set), which sets a breakpoint, and "z", which removes one.  gdb's
 * software and hardware breakpoints are both breakpoints of the processor here.
 */
static void change_breakpoint(struct vcpu *vcpu, const char *p, bool set)
{
	unsigned int free = BREAKPOINTS, i;
	u64 address;

	if (*p != '0' && *p != '1') {
		reply("");
		return;
	}
	p++;
	skip(&p, ',');
	address = number(&p);
	for (i = 0; i < BREAKPOINTS; i++) {
		if (used[i] && breakpoints[i] == address)
			break;
		if (!used[i] && free == BREAKPOINTS)
			free = i;
	}
	if (i == BREAKPOINTS && set)
		i = free;
	if (i == BREAKPOINTS) {
		reply(set ? "E28" : "OK");
		return;
	}
	used[i] = set;
	breakpoints[i] = set ? address : 0;
	load_breakpoints(vcpu);
	reply("OK");
}

/* Lets the guest go on.  RF keeps a breakpoint at RIP from stopping the guest again at once. */
static void go(struct vcpu *vcpu, bool step)
{
	stepping = step;
	vcpu->vmcb->rflags |= RFLAGS_RF | (step ? RFLAGS_TF : 0);
}

static bool starts(const char *text, const char *with)
{
	return !memcmp(text, with, strlen(with));
}

/* Handles gdb's commands until one of them lets the guest go on. */
static void serve(struct vcpu *vcpu)
{
	for (;;) {
		receive_packet();
		switch (packet[0]) {
		case '?':
			reply("S05");
			break;
		case 'g':
			send_registers(vcpu);
			break;
		case 'P':
			set_register(vcpu, packet + 1);
			break;
		case 'm':
			read_memory(vcpu, packet + 1);
			break;
		case 'M':
			write_memory(vcpu, packet + 1);
			break;
		case 'Z':
		case 'z':
			change_breakpoint(vcpu, packet + 1, packet[0] == 'Z');
			break;
		case 'c':
		case 's':
			go(vcpu, packet[0] == 's');
			return;
		case 'D':
			memset(used, 0, sizeof(used));
			load_breakpoints(vcpu);
			reply("OK");
			go(vcpu, false);
			return;
		case 'k':
			config.gdb = false;
			end_run(END_ERROR, "gdb has ended the run");
		case 'H':
			reply("OK");
			break;
		case 'q':
			if (starts(packet, "qSupported"))
				reply("PacketSize=1000;qXfer:features:read+;hwbreak+");
			else if (starts(packet, "qXfer:features:read:target.xml:0,"))
				reply(target);
			else if (starts(packet, "qAttached"))
				reply("1");
			else
				reply("");
			break;
		default:
			reply("");
		}
	}
}

void gdb_start(struct vcpu *vcpu)
{
	if (!config.gdb)
		return;
	outb(UART_LINE_CONTROL, UART_8_BITS);
	outb(UART_MODEM, UART_DTR_RTS);
	load_breakpoints(vcpu);
	serve(vcpu);
}

void gdb_exit(struct vcpu *vcpu)
{
	if (!config.gdb || !(inb(UART_LINE) & UART_RECEIVED) || inb(UART_DATA) != CTRL_C)
		return;
	reply("S02");
	serve(vcpu);
}

bool gdb_db(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->vmcb;
	bool step = stepping && v->dr6 & DR6_BS, hit = false;
	unsigned int i;

	if (!config.gdb)
		return false;
	for (i = 0; i < BREAKPOINTS; i++)
		hit |= used[i] && v->dr6 >> i & 1;
	if (!step && !hit)
		return false;
	v->dr6 = DR6_INIT;
	if (stepping)
		v->rflags &= ~(u64)RFLAGS_TF;
	stepping = false;
	reply("S05");
	serve(vcpu);
	return true;
}

void gdb_end(u8 status)
{
	const char text[] = { 'W', digit(status >> 4), digit(status), '\0' };

	if (config.gdb)
		reply(text);
}

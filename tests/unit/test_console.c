/* SPDX-License-Identifier: MIT */
/*
 * test_console.c - tests lib/console.c on a mock machine with two UARTs, a
 * debug console (a port that prints each byte) and a VGA text screen. The tests
 * check, for every form of the command-line options, which UART is set up and
 * with which baud rate. They check each byte of output. They count port
 * accesses, because in an SEV-ES guest each access is a VMEXIT.
 *
 * The mock UARTs behave like a 16550A: a byte that is sent while the FIFO is
 * full is lost. The tests count lost bytes.
 */
#include <linux/serial_reg.h>

#define HARNESS_CPU
#define OWN_INB
#define OWN_OUTB
#define OWN_OUTSB
#include "harness.h"
#include "own_stack.h"

#include <sys/mman.h>

#include "image.h"

/*
 * Start and end of the stub's read-only data. In the stub, linker.ld defines both. Here
 * the two addresses enclose all memory, so that the console accepts texts at any address.
 * A case may change them.
 */
static u64 rodata_start, rodata_end = ~0UL;
#define _rodata		((const u8 *)rodata_start)
#define _erodata	((const u8 *)rodata_end)

#include "../../lib/cmdline.c"
#include "../../lib/console-option.c"
#include "../../lib/console.c"

/* ---- The machine ---- */

#define COM1		0x3f8
#define COM2		0x2f8
#define UARTS		2
#define NO_PORT		0xffff
#define OUTPUT_MAX	16384
#define NO_DIVISOR	0
/*
 * Limits of port accesses: EXIT_BUDGET for setting up a UART and printing 1
 * KiB, SETUP_BUDGET for the set-up alone. Each access costs a VMEXIT in an
 * SEV-ES guest. After POLL_LIMIT accesses a mock UART fails the case, because
 * the console would poll without end.
 */
#define EXIT_BUDGET	150
#define SETUP_BUDGET	10
#define POLL_LIMIT	1000000

struct mock_uart {
	/*
	 * I/O port of the mock UART's first register; NO_PORT: no UART exists.
	 */
	u16 port;
	bool has_fifo;
	/*
	 * true: the UART is a 16550, the predecessor of the 16550A, whose FIFO
	 * loses bytes. It reports the value 10 (binary) in bits 7:6 of IIR.
	 */
	bool half_fifo;
	bool never_ready;
	/*
	 * Number of status reads after each byte until the transmitter is
	 * ready.
	 */
	unsigned int busy_polls;

	bool fifo_on;
	u16 divisor;
	u8 lcr, mcr;
	unsigned int room, polls_left;
	unsigned int writes;	/* number of writes to any register of this UART */
	unsigned int lost;	/* bytes lost because the FIFO was full */
	char out[OUTPUT_MAX];
	size_t len;
};

static struct {
	struct mock_uart uart[UARTS];
	bool sev_es;		/* true: the guest is SEV-ES, so IN and OUT raise #VC */
	/*
	 * Number of IN, OUT and OUTS instructions that the console executed, or
	 * of VMEXITs that it caused in an SEV-ES guest.
	 */
	unsigned int accesses;
	unsigned int debugcon_port, debugcon_exits;
	unsigned int stray_reads, stray_writes;
	char debugcon[OUTPUT_MAX];
	size_t debugcon_len;
	struct screen_info screen;
} machine;

/*
 * The memory of the VGA text screen. The console may write to cells[] only. The
 * words before and after show writes outside of it. map_vga_memory() places
 * cells[] at the address at which a PC has this memory, because this address
 * is a constant in the console, which the test cannot change.
 */
struct vga_screen {
	u64 before[64];
	u16 cells[VGA_SIZE / sizeof(u16)];
	u64 behind[64];
};

static struct vga_screen *const vga_memory =
	(void *)(VGA_COLOR_BASE - offsetof(struct vga_screen, cells));

static void map_vga_memory(void)
{
	static bool mapped;
	u64 start = ALIGN_DOWN((u64)vga_memory, PAGE_SIZE);
	u64 end = ALIGN_UP((u64)(vga_memory + 1), PAGE_SIZE);

	if (mapped)
		return;
	CHECK(mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	      (void *)start, "no memory at %#lx", start);
	mapped = true;
}

static struct mock_uart *mock_at(u16 port)
{
	size_t i;

	for (i = 0; i < UARTS; i++)
		if (machine.uart[i].port != NO_PORT &&
		    port >= machine.uart[i].port &&
		    port < machine.uart[i].port + 8)
			return &machine.uart[i];
	return NULL;
}

static unsigned int mock_capacity(const struct mock_uart *uart)
{
	return uart->fifo_on ? 16 : 1;
}

static u8 mock_status(struct mock_uart *uart)
{
	CHECK(machine.accesses < POLL_LIMIT, "polls without end");
	if (uart->never_ready)
		return UART_LSR_TEMT;
	if (uart->polls_left) {
		uart->polls_left--;
		return 0;
	}
	uart->room = mock_capacity(uart);
	return UART_LSR_THRE | UART_LSR_TEMT;
}

static u8 mock_iir(const struct mock_uart *uart)
{
	if (!uart->fifo_on)
		return UART_IIR_NO_INT;
	return UART_IIR_NO_INT | (uart->half_fifo ? 0x80 : 0xc0);
}

static void mock_transmit(struct mock_uart *uart, u8 value)
{
	if (!uart->room) {
		uart->lost++;
		return;
	}
	uart->room--;
	uart->polls_left = uart->busy_polls;
	if (uart->len < OUTPUT_MAX - 1)
		uart->out[uart->len++] = (char)value;
}

static u8 mock_in(u16 port)
{
	struct mock_uart *uart = mock_at(port);
	bool dlab;

	machine.accesses++;
	if (!uart) {
		machine.stray_reads++;
		return 0xff;
	}
	dlab = uart->lcr & UART_LCR_DLAB;
	switch (port - uart->port) {
	case UART_DLL:
		CHECK(dlab, "reads the receive buffer");
		return (u8)uart->divisor;
	case UART_DLM:
		CHECK(dlab, "reads the interrupt enable register");
		return (u8)(uart->divisor >> 8);
	case UART_IIR:
		return mock_iir(uart);
	case UART_LSR:
		return mock_status(uart);
	default:
		CHECK(false, "reads port %#x", port);
		return 0;
	}
}

static void mock_write(struct mock_uart *uart, u16 reg, u8 value)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	uart->writes++;
	switch (reg) {
	case UART_TX:
		if (dlab)
			uart->divisor = (uart->divisor & 0xff00) | value;
		else
			mock_transmit(uart, value);
		break;
	case UART_DLM:
		CHECK(dlab, "enables interrupts");
		uart->divisor = (u16)((uart->divisor & 0xff) | value << 8);
		break;
	case UART_FCR:
		CHECK(!(value & UART_FCR_CLEAR_XMIT), "loses output");
		uart->fifo_on = uart->has_fifo && value & UART_FCR_ENABLE_FIFO;
		uart->room = mock_capacity(uart);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value;
		break;
	default:
		CHECK(false, "writes %#x to register %u", value, reg);
	}
}

/*
 * One OUT or OUTS instruction, which writes @count bytes to the mock device at
 * @port.
 */
static void mock_out(u16 port, const void *buf, size_t count)
{
	struct mock_uart *uart = mock_at(port);
	const u8 *bytes = buf;

	machine.accesses++;
	CHECK(count, "an instruction for no bytes");
	if (port == machine.debugcon_port) {
		CHECK(machine.debugcon_len + count < OUTPUT_MAX, "too much");
		memcpy(machine.debugcon + machine.debugcon_len, buf, count);
		machine.debugcon_len += count;
		machine.debugcon_exits++;
		return;
	}
	if (!uart)
		machine.stray_writes++;
	for (; uart && count; count--)
		mock_write(uart, port - uart->port, *bytes++);
}

/*
 * The port functions that the console calls. An ordinary guest uses inb(),
 * outb() and outsb(). An SEV-ES guest asks the hypervisor by sev_es_inb(),
 * sev_es_outb() and sev_es_outsb(). Both kinds access the mock devices, and
 * each checks that it runs in its kind of guest.
 */

bool sev_es_active(void)
{
	return machine.sev_es;
}

/* true: the console has called sev_rule_out_es() since the last OUT or OUTS. */
static bool ruled_out;

void sev_rule_out_es(void)
{
	CHECK(!machine.sev_es, "an SEV-ES guest terminates");
	ruled_out = true;
}

/*
 * Fails the case unless the console has called sev_rule_out_es() since the last OUT or
 * OUTS. The hypervisor can change memory of an SEV-ES guest so that the console takes the
 * guest for one without SEV-ES. sev_rule_out_es() then terminates the guest, before an OUT
 * sends data to the hypervisor. IN needs no such call, because it sends no data.
 */
static void check_ruled_out(void)
{
	CHECK(ruled_out, "port I/O without sev_rule_out_es()");
	ruled_out = false;
}

u8 inb(u16 port)
{
	CHECK(!machine.sev_es, "#VC by an IN from port %#x", port);
	return mock_in(port);
}

void outb(u8 value, u16 port)
{
	CHECK(!machine.sev_es, "#VC by an OUT to port %#x", port);
	check_ruled_out();
	mock_out(port, &value, 1);
}

void outsb(u16 port, const void *buf, size_t count)
{
	CHECK(!machine.sev_es, "#VC by an OUTS to port %#x", port);
	check_ruled_out();
	mock_out(port, buf, count);
}

u8 sev_es_inb(u16 port)
{
	CHECK(machine.sev_es, "asks a hypervisor for port %#x", port);
	return mock_in(port);
}

void sev_es_outb(u8 value, u16 port)
{
	CHECK(machine.sev_es, "asks a hypervisor for port %#x", port);
	mock_out(port, &value, 1);
}

void sev_es_outsb(u16 port, const void *buf, size_t count)
{
	CHECK(machine.sev_es, "asks a hypervisor for port %#x", port);
	mock_out(port, buf, count);
}

/*
 * The VGA memory of an SEV-ES guest. Only the fake hypervisor accesses it, when the stub
 * calls sev_es_vga_put(). In such a guest the console must not access vga_memory itself.
 */
static u16 requested_cells[VGA_SIZE / sizeof(u16)];

static void *requested(u64 addr)
{
	CHECK(machine.sev_es && addr - VGA_COLOR_BASE < VGA_SIZE,
	      "asks a hypervisor for %#lx", addr);
	return (u8 *)requested_cells + (addr - VGA_COLOR_BASE);
}

void sev_es_vga_put(u64 to, const char *text)
{
	u16 cell = text ? 0x0700 | (u8)*text : 0x0720;

	CHECK(!text || (text >= console_text &&
			text < console_text + sizeof(console_text)), "other text");
	memcpy(requested(to), &cell, sizeof(cell));
}

/*
 * Resets the console and the machine. The machine has two working UARTs, which
 * firmware has set to 115200 baud.
 */
static void power_on(void)
{
	static const u16 ports[UARTS] = { COM1, COM2 };
	size_t i;

	memset(&machine, 0, sizeof(machine));
	for (i = 0; i < UARTS; i++) {
		machine.uart[i].port = ports[i];
		machine.uart[i].has_fifo = true;
		machine.uart[i].divisor = 1;
	}
	machine.debugcon_port = NO_PORT;

	memset(&con, 0, sizeof(con));
	con.named.port = TTYS0_PORT;
	con.fifo_size = 1;
}

/*
 * Initialises the console with @text as the command line. The console gets a
 * copy of exactly this length, so that ASan detects a read past its last byte.
 */
static void boot(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len);
	struct cmdline cmdline = { copy, len };

	memcpy(copy, text, len);
	console_init(&cmdline, &machine.screen);
	free(copy);
}

static void boot_new(const char *text)
{
	power_on();
	boot(text);
}

static const char *output(size_t uart)
{
	CHECK(!machine.uart[uart].lost, "%u bytes lost",
	      machine.uart[uart].lost);
	machine.uart[uart].out[machine.uart[uart].len] = '\0';
	return machine.uart[uart].out;
}

static void forget_output(void)
{
	size_t i;

	for (i = 0; i < UARTS; i++)
		machine.uart[i].len = 0;
}

#define CHECK_OUTPUT(uart, expected)					\
	CHECK(!strcmp(output(uart), expected), "\"%s\" instead of \"%s\"", \
	      output(uart), expected)

/*
 * ---- the console before console_init() ----
 *
 * This case must be the first one, because it checks the console's initial state. Other
 * cases overwrite this state by power_on().
 */

extern const u8 __data_start[];		/* defined by the linker */

TEST(force_before_init)
{
	u16 port = con.named.port;

	CHECK(port == COM1, "%#x", port);
	CHECK(con.fifo_size, "division by a FIFO size of 0");
	CHECK(!con.asked && !con.uart_port, "not silent");
	/*
	 * The console may print errors before the stub clears .bss. Clearing
	 * must not reset the console's state, so the state must be in .data.
	 */
	CHECK((const u8 *)&con >= __data_start && (const u8 *)&con < _edata,
	      "the state is not in .data");
	memset(&machine, 0, sizeof(machine));
	machine.uart[0].port = COM1;
	machine.uart[1].port = NO_PORT;
	machine.debugcon_port = NO_PORT;
	console_force();
	con_printf("early\n");
	CHECK_OUTPUT(0, "early\r\n");
}

/* ---- Options ---- */

enum speaks { SILENT, SPEAKS };

static const struct {
	const char *text;
	enum speaks speaks;	/* SPEAKS: info() prints */
	u16 port;		/* I/O port of the UART that prints errors */
	u16 divisor;
} options[] = {
	/* earlyprintk=serial */
	{ "earlyprintk=serial", SPEAKS, COM1, 12 },
	{ "earlyprintk=serial,keep", SPEAKS, COM1, 12 },
	{ "earlyprintk=serial,115200", SPEAKS, COM1, 1 },
	{ "earlyprintk=serial,ttyS0", SPEAKS, COM1, 12 },
	{ "earlyprintk=serial,ttyS1", SPEAKS, COM2, 12 },
	{ "earlyprintk=serial,ttyS1,keep", SPEAKS, COM2, 12 },
	{ "earlyprintk=serial,ttyS1,57600", SPEAKS, COM2, 2 },
	{ "earlyprintk=serial,ttyS1,57600,keep", SPEAKS, COM2, 2 },
	{ "earlyprintk=serial,ttyS0,115200n8", SPEAKS, COM1, 1 },
	{ "earlyprintk=serial,0x2f8", SPEAKS, COM2, 12 },
	{ "earlyprintk=serial,0x2f8,115200", SPEAKS, COM2, 1 },
	{ "earlyprintk=serial,0x2F8,115200,keep", SPEAKS, COM2, 1 },
	{ "earlyprintk=serial,0x02f8,keep", SPEAKS, COM2, 12 },
	/* earlyprintk=ttyS */
	{ "earlyprintk=ttyS0", SPEAKS, COM1, 12 },
	{ "earlyprintk=ttyS1", SPEAKS, COM2, 12 },
	{ "earlyprintk=ttyS1,115200", SPEAKS, COM2, 1 },
	{ "earlyprintk=ttyS1,keep", SPEAKS, COM2, 12 },
	{ "earlyprintk=ttyS1,", SPEAKS, COM2, 12 },
	/*
	 * The kernel's option console=uart may lack a baud rate. The console
	 * must then keep the rate that the UART has.
	 */
	{ "console=uart8250,io,0x2f8", SPEAKS, COM2, 1 },
	{ "console=uart8250,io,0x3f8,9600n8", SPEAKS, COM1, 12 },
	{ "console=uart8250,io,0x2f8,57600", SPEAKS, COM2, 2 },
	{ "console=uart8250,io,760", SPEAKS, COM2, 1 },
	{ "console=uart,io,0x2f8", SPEAKS, COM2, 1 },
	{ "console=uart,io,0x2f8,38400n8r", SPEAKS, COM2, 3 },
	/* The smallest and largest valid baud rate, and invalid ones. */
	{ "earlyprintk=ttyS1,2", SPEAKS, COM2, 57600 },
	{ "earlyprintk=ttyS1,300", SPEAKS, COM2, 384 },
	{ "earlyprintk=ttyS1,1", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS1,0", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS1,115201", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS1,4294967297", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS1,18446744073709551617", SILENT, COM1, 1 },
	{ "console=uart8250,io,0x2f8,0", SILENT, COM1, 1 },
	/*
	 * With these options info(), which prints progress, must be silent.
	 * Errors are printed to the UART that the kernel's option console=ttyS
	 * names, or else to COM1.
	 */
	{ "", SILENT, COM1, 1 },
	{ "quiet", SILENT, COM1, 1 },
	{ "console=ttyS0", SILENT, COM1, 1 },
	{ "console=ttyS1", SILENT, COM2, 1 },
	{ "console=ttyS1,57600n8", SILENT, COM2, 2 },
	{ "console=ttyS1,115200 console=tty0", SILENT, COM2, 1 },
	{ "console=ttyS1 console=ttyS0,9600", SILENT, COM1, 12 },
	{ "console=ttyS0,57600 console=ttyS1", SILENT, COM2, 1 },
	{ "console= console=ttyS1", SILENT, COM2, 1 },
	{ "console=tty0", SILENT, COM1, 1 },
	{ "console=ttyS1,0", SILENT, COM1, 1 },
	{ "console=ttyS2", SILENT, COM1, 1 },
	{ "console=hvc0", SILENT, COM1, 1 },
	/*
	 * Several options name a UART. COM1 or COM2 in a row is the UART that
	 * the console must choose.
	 */
	{ "console=uart,io,0x3f8 console=uart,io,0x2f8", SPEAKS, COM2, 1 },
	{ "console=uart,io,0x3f8,57600 console=uart,io,0x2f8", SPEAKS, COM2, 1 },
	{ "console=uart,io,0x2f8 console=ttyS0,9600", SPEAKS, COM2, 1 },
	{ "console=ttyS0 console=uart,io,0x2f8", SPEAKS, COM2, 1 },
	{ "console=uart,io,0x2f8 console=uart,mmio,0x3f8", SPEAKS, COM2, 1 },
	{ "earlyprintk=ttyS1 console=uart,io,0x3f8", SPEAKS, COM2, 12 },
	{ "console=uart,io,0x3f8 earlyprintk=ttyS1", SPEAKS, COM2, 12 },
	{ "earlyprintk=ttyS0 earlyprintk=ttyS1", SPEAKS, COM2, 12 },
	{ "earlyprintk=ttyS1 earlyprintk=nonsense", SILENT, COM1, 1 },
	{ "earlyprintk=vga console=uart,io,0x2f8", SPEAKS, COM2, 1 },
	{ "earlyprintk=nonsense console=uart,io,0x2f8", SPEAKS, COM2, 1 },
	{ "earlyprintk=ttyS1 console=ttyS0,9600", SPEAKS, COM2, 12 },
	/*
	 * Malformed options, and options that the stub must leave to the
	 * kernel, enable no output.
	 */
	{ "earlyprintk", SILENT, COM1, 1 },
	{ "earlyprintk=", SILENT, COM1, 1 },
	{ "earlyprintk=,ttyS1", SILENT, COM1, 1 },
	{ "earlyprintk=seria", SILENT, COM1, 1 },
	{ "earlyprintk=serialx", SILENT, COM1, 1 },
	{ "earlyprintk=serial0", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS2", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS10", SILENT, COM1, 1 },
	{ "earlyprintk=ttyS1x", SILENT, COM1, 1 },
	{ "earlyprintk=TTYS1", SILENT, COM1, 1 },
	{ "earlyprintk=efi", SILENT, COM1, 1 },
	{ "earlyprintk=vgax", SILENT, COM1, 1 },
	{ "earlyprintk=serial,ttyS2", SILENT, COM1, 1 },
	{ "earlyprintk=serial,ttyS1x", SILENT, COM1, 1 },
	{ "earlyprintk=serial,0x", SILENT, COM1, 1 },
	{ "earlyprintk=serial,0x0", SILENT, COM1, 1 },
	{ "earlyprintk=serial,0x2f8x", SILENT, COM1, 1 },
	{ "earlyprintk=serial,0x102f8", SILENT, COM1, 1 },
	{ "earlyprintk=serial,0x100000000000002f8", SILENT, COM1, 1 },
	{ "xearlyprintk=serial", SILENT, COM1, 1 },
	{ "earlyprintk=debugconx", SILENT, COM1, 1 },
	{ "earlyprintk=debugcon,0x", SILENT, COM1, 1 },
	{ "earlyprintk=debugcon,0x0", SILENT, COM1, 1 },
	{ "earlyprintk=debugcon,0x10000", SILENT, COM1, 1 },
	{ "earlyprintk=debugcon,0x402x", SILENT, COM1, 1 },
	{ "console=uart8250", SILENT, COM1, 1 },
	{ "console=uart8250,io", SILENT, COM1, 1 },
	{ "console=uart8250,io,", SILENT, COM1, 1 },
	{ "console=uart8250,io,0", SILENT, COM1, 1 },
	{ "console=uart8250,io,2f8", SILENT, COM1, 1 },
	{ "console=uart8250,io,0x2f8x", SILENT, COM1, 1 },
	{ "console=uart8250,io,0x2f8n8", SILENT, COM1, 1 },
	{ "console=uart8250,mmio,0x2f8", SILENT, COM1, 1 },
	{ "console=uart8250,mmio32,0x2f8", SILENT, COM1, 1 },
	{ "console=uart9250,io,0x2f8", SILENT, COM1, 1 },
	{ "console=uart8250,0x2f8", SILENT, COM1, 1 },
	{ "console=uart8250,io,0x102f8", SILENT, COM1, 1 },
};

TEST(options)
{
	const struct mock_uart *uart, *other;
	const char *text;
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		text = options[i].text;
		n = options[i].port == COM2;
		boot_new(text);
		uart = &machine.uart[n];
		other = &machine.uart[!n];

		info("told %d\n", 1);
		CHECK(!strcmp(output(n), options[i].speaks == SPEAKS ?
					 "told 1\r\n" : ""),
		      "%s: \"%s\"", text, output(n));
		CHECK(options[i].speaks == SPEAKS || !machine.accesses,
		      "%s: touches ports", text);

		forget_output();
		console_force();
		con_printf("failed\n");
		CHECK(!strcmp(output(n), "failed\r\n"), "%s: \"%s\"", text,
		      output(n));
		CHECK(uart->divisor == options[i].divisor, "%s: divisor %u",
		      text, uart->divisor);
		CHECK(uart->lcr == UART_LCR_WLEN8 &&
		      uart->mcr == (UART_MCR_DTR | UART_MCR_RTS),
		      "%s: lcr %#x mcr %#x", text, uart->lcr, uart->mcr);
		CHECK(!other->writes && !machine.stray_writes,
		      "%s: writes to another port", text);
	}
	INFO("%zu command lines", i);
}

/*
 * All eight registers of a UART must have ports below 0x10000, so 0xfff8 is the
 * highest valid port and 0xfff9 is refused.
 */
TEST(highest_port)
{
	power_on();
	machine.uart[1].port = 0xfff8;
	boot("earlyprintk=serial,0xfff8");
	info("up here\n");
	CHECK_OUTPUT(1, "up here\r\n");

	boot_new("earlyprintk=serial,0xfff9");
	CHECK(!machine.accesses, "uses port 0xfff9");
	boot_new("console=uart,io,0xfff9");
	CHECK(!machine.accesses, "uses port 0xfff9");
}

static void boot_by_options(void)
{
	boot_new("console=uart,io,0x2f8,0009600 earlyprintk=ttyS1,0000000000019200");
}

/*
 * The loader chooses the command line. The console must not leave the text of an option on
 * the stack, where the hypervisor could make it a return address: see not_on_stack in
 * types.h.
 */
TEST(options_not_on_stack)
{
	CHECK(!leaves_on_stack(boot_by_options, "uart,io,0x2f8,0009600", 16), "console=");
	CHECK(!leaves_on_stack(boot_by_options, "ttyS1,0000000000019200", 16), "earlyprintk=");
	CHECK(con.uart_port == COM2, "port 0x%x", con.uart_port);
}

/*
 * The console must ignore an option value that is longer than its buffer. A
 * shortened value could name another UART.
 */
TEST(long_values)
{
	static const char *const starts[] = {
		"earlyprintk=ttyS1,", "console=uart,io,0x2f8,",
	};
	char text[512];
	size_t i, name;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, starts[i], strlen(starts[i]));
		name = strcspn(starts[i], "=") + 1;
		text[name + 64] = '\0';
		boot_new(text);
		CHECK(!con.uart_port, "%s: taken", text);
		text[name + 63] = '\0';
		boot_new(text);
		CHECK(con.uart_port == COM2, "%s: not taken", text);
	}

	/*
	 * A second console= option is longer than the console's buffer and is
	 * ignored. The valid option before it must stay in force.
	 */
	memset(text, 'x', sizeof(text));
	memcpy(text, "console=uart,io,0x2f8 console=uart,io,0x3f8,", 44);
	text[sizeof(text) - 1] = '\0';
	boot_new(text);
	CHECK(con.uart_port == COM2, "%s: %#x", text, con.uart_port);
}

TEST(divisor_that_is_set)
{
	/*
	 * The option console=uart has no baud rate. The console must keep the
	 * UART's divisor, even if the divisor's low or high byte is 0.
	 */
	static const u16 divisors[] = { 1, 12, 0x100, 0x180, 0xffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(divisors); i++) {
		power_on();
		machine.uart[0].divisor = divisors[i];
		boot("console=uart8250,io,0x3f8");
		CHECK(machine.uart[0].divisor == divisors[i], "%u became %u",
		      divisors[i], machine.uart[0].divisor);
	}
	power_on();
	machine.uart[0].divisor = NO_DIVISOR;
	boot("console=uart8250,io,0x3f8");
	CHECK(machine.uart[0].divisor == 1, "none became %u",
	      machine.uart[0].divisor);
	info("hello\n");
	CHECK_OUTPUT(0, "hello\r\n");
}

/* ---- UARTs that work and that do not ---- */

/*
 * Expected output of print_lines(), which prints lines of 0, 7, 14, ... 196
 * characters. Each line ends with "\r\n".
 */
static char long_text[OUTPUT_MAX];

static void print_lines(void)
{
	size_t len, at = 0;

	for (len = 0; len < 200; len += 7) {
		char line[201];

		memset(line, 'a' + (int)(len % 26), len);
		line[len] = '\0';
		con_printf("%s\n", line);
		at += (size_t)sprintf(long_text + at, "%s\r\n", line);
	}
}

TEST(fifo)
{
	boot_new("earlyprintk=serial");
	print_lines();
	CHECK_OUTPUT(0, long_text);
	CHECK(machine.uart[0].fifo_on, "FIFO not enabled");
}

TEST(fifo_slow)
{
	power_on();
	machine.uart[0].busy_polls = 1000;
	boot("earlyprintk=serial");
	print_lines();
	CHECK_OUTPUT(0, long_text);
}

TEST(no_fifo)
{
	power_on();
	machine.uart[0].has_fifo = false;
	boot("earlyprintk=serial");
	print_lines();
	CHECK_OUTPUT(0, long_text);
}

TEST(no_fifo_slow)
{
	power_on();
	machine.uart[0].has_fifo = false;
	machine.uart[0].busy_polls = 100;
	boot("earlyprintk=serial");
	print_lines();
	CHECK_OUTPUT(0, long_text);
}

/*
 * A 16550, the predecessor of the 16550A, has a FIFO that loses bytes. The
 * console must leave this FIFO disabled.
 */
TEST(broken_fifo)
{
	power_on();
	machine.uart[0].half_fifo = true;
	boot("earlyprintk=serial");
	CHECK(con.fifo_size == 1, "bursts of %u", con.fifo_size);
	print_lines();
	CHECK_OUTPUT(0, long_text);
}

/*
 * The UART may still be sending firmware's last output. The console must not change the baud
 * rate before the UART has sent all of this output.
 */
TEST(busy_at_setup)
{
	power_on();
	machine.uart[0].polls_left = 50;
	boot("earlyprintk=serial");
	CHECK(!machine.uart[0].polls_left, "%u polls early",
	      machine.uart[0].polls_left);
	info("hello\n");
	CHECK_OUTPUT(0, "hello\r\n");
}

/*
 * In an SEV-ES guest the console must set up a UART and print without any IN, OUT or OUTS
 * instruction. In such a guest the functions inb(), outb() and outsb() of this test fail
 * the case.
 */
TEST(sev_es)
{
	static const char *const cmdlines[] = {
		"earlyprintk=serial,115200", "console=uart,io,0x3f8",
		"console=uart,io,0x3f8 earlyprintk=debugcon",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmdlines); i++) {
		power_on();
		machine.debugcon_port = DEBUGCON_PORT;
		machine.sev_es = true;
		machine.uart[0].divisor = NO_DIVISOR;
		boot(cmdlines[i]);
		print_lines();
		CHECK_OUTPUT(0, long_text);
		CHECK(machine.uart[0].divisor == 1, "divisor %u",
		      machine.uart[0].divisor);
	}
	CHECK(!strcmp(machine.debugcon, long_text), "\"%s\"",
	      machine.debugcon);
}

TEST(never_ready)
{
	unsigned int accesses;

	power_on();
	machine.uart[0].never_ready = true;
	boot("earlyprintk=ttyS0");
	CHECK(!machine.uart[0].writes, "written to");
	accesses = machine.accesses;
	CHECK(accesses >= 1000, "gives up after %u polls", accesses);
	info("hello\n");
	console_force();
	con_printf("failed\n");
	CHECK(machine.accesses == accesses, "tries again, %u polls",
	      machine.accesses - accesses);
}

/*
 * A UART works while it is set up and later stops accepting bytes. The console
 * must give up after a limited number of polls. Otherwise the boot would hang.
 */
TEST(dies_later)
{
	unsigned int accesses;

	boot_new("earlyprintk=ttyS1");
	info("hello\n");
	machine.uart[1].never_ready = true;
	accesses = machine.accesses;
	info("%s\n", options[0].text);
	print_lines();
	CHECK(machine.accesses - accesses <= UART_MAX_POLLS + 1,
	      "%u accesses", machine.accesses - accesses);
	CHECK(!machine.uart[0].writes, "output moves to another UART");

	/*
	 * The UART on ttyS1 is broken. The console must then print errors to
	 * ttyS0.
	 */
	console_force();
	con_printf("failed\n");
	CHECK_OUTPUT(0, "failed\r\n");
	CHECK(!strncmp(output(1), "hello\r\n", strlen("hello\r\n")),
	      "\"%s\"", output(1));
}

TEST(disappears_later)
{
	unsigned int accesses;

	boot_new("earlyprintk=ttyS0");
	info("hello\n");
	machine.uart[0].port = NO_PORT;
	machine.accesses = 0;
	print_lines();
	accesses = machine.accesses;
	/*
	 * The UART has disappeared. The console may still send bytes for which
	 * the FIFO had room before, and must then stop polling.
	 */
	CHECK(accesses <= 3, "%u accesses", accesses);
	console_force();
	con_printf("failed\n");
	CHECK(machine.accesses == accesses, "tries again");
}

TEST(absent)
{
	power_on();
	machine.uart[0].port = NO_PORT;
	machine.uart[1].port = NO_PORT;
	boot("earlyprintk=ttyS0");
	info("hello\n");
	CHECK(machine.accesses == 1, "%u accesses", machine.accesses);
	console_force();
	con_printf("failed\n");
	CHECK(machine.accesses == 1, "%u accesses", machine.accesses);
	CHECK(!machine.stray_writes, "writes to nothing");
}

/*
 * The command line names a port where no UART exists. Errors must then go to
 * ttyS0. info() must print nothing, because the user did not ask for output on
 * ttyS0.
 */
TEST(absent_but_ttys0)
{
	power_on();
	machine.uart[1].port = NO_PORT;
	boot("earlyprintk=ttyS1,9600");
	info("hello\n");
	CHECK_OUTPUT(0, "");
	console_force();
	con_printf("failed\n");
	CHECK_OUTPUT(0, "failed\r\n");
	CHECK(machine.uart[0].divisor == 1, "divisor %u",
	      machine.uart[0].divisor);
	info("still not asked\n");
	CHECK_OUTPUT(0, "failed\r\n");
	CHECK(machine.stray_reads == 1 && !machine.stray_writes,
	      "%u reads and %u writes of nothing", machine.stray_reads,
	      machine.stray_writes);

	/*
	 * The kernel's console=ttyS1 names a UART that does not exist. Errors
	 * must go to ttyS0.
	 */
	power_on();
	machine.uart[1].port = NO_PORT;
	boot("console=ttyS1");
	console_force();
	con_printf("failed\n");
	CHECK_OUTPUT(0, "failed\r\n");
}

TEST(force_keeps_what_is_in_use)
{
	unsigned int accesses;

	boot_new("earlyprintk=ttyS1");
	accesses = machine.accesses;
	console_force();
	CHECK(machine.accesses == accesses, "sets up again");
	con_printf("failed\n");
	CHECK_OUTPUT(1, "failed\r\n");
	CHECK_OUTPUT(0, "");
}

/* ---- port accesses, each of which is a VMEXIT in an SEV-ES guest ---- */

TEST(setup_budget)
{
	static const char *const cmdlines[] = {
		"earlyprintk=serial", "console=uart,io,0x3f8",
	};
	unsigned int most = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmdlines); i++) {
		boot_new(cmdlines[i]);
		if (machine.accesses > most)
			most = machine.accesses;
		CHECK(machine.accesses <= SETUP_BUDGET, "%s: %u accesses",
		      cmdlines[i], machine.accesses);
	}
	INFO("%u accesses", most);
}

/*
 * Returns the number of port accesses that the console needs to set up a UART
 * and to print 1 KiB of output in lines of @len bytes.
 */
static unsigned int cost_of_1k(size_t len)
{
	char line[128];

	boot_new("earlyprintk=serial");
	memset(line, 'x', len);
	line[len - strlen("\r\n")] = '\0';
	while (machine.uart[0].len + len <= 1024)
		con_printf("%s\n", line);
	len = 1024 - machine.uart[0].len;
	if (len >= strlen("\r\n")) {
		line[len - strlen("\r\n")] = '\0';
		con_printf("%s\n", line);
	}
	CHECK(!machine.uart[0].lost, "%u bytes lost", machine.uart[0].lost);
	CHECK(machine.uart[0].len >= 1023, "only %zu bytes",
	      machine.uart[0].len);
	return machine.accesses;
}

TEST(output_budget)
{
	unsigned int cost, worst = 0;
	size_t len;

	for (len = 64; len <= 128; len++) {
		cost = cost_of_1k(len);
		if (cost > worst)
			worst = cost;
		CHECK(cost <= EXIT_BUDGET, "lines of %zu bytes: %u", len, cost);
	}
	/*
	 * The console sends each line by bursts of up to 16 bytes, the FIFO's
	 * size. The last burst of a line may be shorter, so short lines may
	 * need one access more for each line.
	 */
	for (len = 16; len < 64; len++) {
		cost = cost_of_1k(len);
		CHECK(cost <= SETUP_BUDGET + 2 * 1024 / 16 + 1024 / len + 1,
		      "lines of %zu bytes: %u", len, cost);
	}
	INFO("%u port accesses for 1 KiB in the worst lines of 64 to 128, "
	     "%u of 80, %u of 48", worst, cost_of_1k(80), cost_of_1k(48));
}

TEST(silence_costs_nothing)
{
	boot_new("quiet console=ttyS0,115200");
	info("hello\n");
	con_printf("hello\n");
	CHECK(!machine.accesses, "%u accesses", machine.accesses);
	/*
	 * The console is silent, so it discards text. That text must not appear
	 * when an error is printed later.
	 */
	con_printf("half a line");
	console_force();
	con_printf("failed\n");
	CHECK_OUTPUT(0, "failed\r\n");
}

/* ---- The debug console ---- */

TEST(debugcon)
{
	static const char expected[] = "hello\r\nworld\r\n";

	power_on();
	machine.debugcon_port = 0x402;
	boot("earlyprintk=debugcon");
	CHECK(!machine.accesses, "%u accesses before output",
	      machine.accesses);
	info("hello\nworld\n");
	CHECK(machine.debugcon_exits == 2 && machine.accesses == 2,
	      "%u accesses for 2 lines", machine.accesses);
	CHECK(!strcmp(machine.debugcon, expected), "\"%s\"",
	      machine.debugcon);
	/*
	 * console_force() prepares to print an error. The error must go to the
	 * debug console and to COM1, the first UART.
	 */
	console_force();
	con_printf("failed\n");
	CHECK_OUTPUT(0, "failed\r\n");
	CHECK(!strcmp(machine.debugcon + strlen(expected), "failed\r\n"),
	      "\"%s\"", machine.debugcon);
}

TEST(debugcon_ports)
{
	static const struct { const char *text; u16 port; } cases[] = {
		{ "earlyprintk=debugcon,keep", 0x402 },
		{ "earlyprintk=debugcon,0xe9", 0xe9 },
		{ "earlyprintk=debugcon,0xffff", 0xffff },
		{ "earlyprintk=debugcon,0xe9,keep", 0xe9 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		power_on();
		machine.debugcon_port = cases[i].port;
		boot(cases[i].text);
		info("x\n");
		CHECK(!strcmp(machine.debugcon, "x\r\n"), "%s: \"%s\"",
		      cases[i].text, machine.debugcon);
	}
}

/*
 * Two options name two devices: earlyprintk=debugcon the debug console and
 * console=uart a UART. Output must go to both.
 */
TEST(debugcon_and_uart)
{
	power_on();
	machine.debugcon_port = 0x402;
	boot("earlyprintk=debugcon console=uart,io,0x2f8");
	info("both\n");
	CHECK_OUTPUT(1, "both\r\n");
	CHECK(!strcmp(machine.debugcon, "both\r\n"), "\"%s\"",
	      machine.debugcon);
}

/* ---- VGA text ---- */

static void set_screen(u8 mode, u8 cols, u8 lines)
{
	map_vga_memory();
	power_on();
	machine.screen.orig_video_isVGA = 1;
	machine.screen.orig_video_mode = mode;
	machine.screen.orig_video_cols = cols;
	machine.screen.orig_video_lines = lines;
	memset(vga_memory, 0x55, sizeof(*vga_memory));
}

static void start_vga(u8 cols, u8 lines)
{
	u64 start, end;

	set_screen(3, cols, lines);
	boot("earlyprintk=vga");
	CHECK(console_vga_range(&start, &end), "no screen");
	console_vga_enable();
}

/*
 * Returns the characters of one line of the mock VGA screen, NULs included.
 * Fails the case unless each character is grey on black.
 */
static const char *screen_line(size_t line)
{
	static char text[256];
	size_t i;
	u16 cell;

	memset(text, 0, sizeof(text));
	for (i = 0; i < con.vga_cols; i++) {
		cell = vga_memory->cells[line * con.vga_cols + i];
		if (cell == 0x5555)
			continue;
		CHECK(cell >> 8 == 0x07, "attribute %#x", cell >> 8);
		text[i] = (char)cell;
	}
	return text;
}

#define CHECK_LINE(line, expected)					\
	CHECK(!strcmp(screen_line(line), expected),			\
	      "line %u: \"%s\" instead of \"%s\"", (unsigned int)(line), \
	      screen_line(line), expected)

static void check_outside(size_t cells)
{
	const u16 *all = vga_memory->cells;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vga_memory->before); i++)
		CHECK(vga_memory->before[i] == 0x5555555555555555 &&
		      vga_memory->behind[i] == 0x5555555555555555,
		      "writes outside");
	for (i = cells; i < ARRAY_SIZE(vga_memory->cells); i++)
		CHECK(all[i] == 0x5555, "writes after the screen, +%zu", i);
}

TEST(vga_text)
{
	start_vga(80, 25);
	info("hello\nworld %d", 42);
	CHECK_LINE(0, "hello");
	/*
	 * The console must keep "world 42", the text of an unfinished line, in
	 * its buffer until it prints a newline.
	 */
	CHECK_LINE(1, "");
	info("\n");
	CHECK_LINE(1, "world 42");
	CHECK(!machine.accesses, "%u port accesses", machine.accesses);
	check_outside(80 * 25);
}

TEST(vga_wraps)
{
	start_vga(40, 25);
	info("%040d\n", 7);
	info("%041d\n", 8);
	info("end\n");
	CHECK_LINE(0, "0000000000000000000000000000000000000007");
	CHECK_LINE(1, "0000000000000000000000000000000000000000");
	CHECK_LINE(2, "8");
	CHECK_LINE(3, "end");
}

TEST(vga_scrolls)
{
	static const struct { u8 cols, lines; } sizes[] = {
		{ 80, 25 }, { 40, 25 }, { 80, 50 }, { 132, 60 },
	};
	char blank[256];
	char expected[64];
	size_t i, n, line;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		start_vga(sizes[i].cols, sizes[i].lines);
		for (n = 0; n < 200; n++)
			info("this is line %lu\n", n);
		/*
		 * Scrolling adds an empty line at the bottom. The console must
		 * fill it with blanks, so that no old text remains after
		 * new text.
		 */
		for (line = 0; line + 1 < sizes[i].lines; line++) {
			sprintf(expected, "this is line %zu",
				200 - sizes[i].lines + 1 + line);
			snprintf(blank, sizeof(blank), "%-*s", sizes[i].cols,
				 expected);
			CHECK_LINE(line, blank);
		}
		snprintf(blank, sizeof(blank), "%-*s", sizes[i].cols, "");
		CHECK_LINE(line, blank);
		check_outside((size_t)sizes[i].cols * sizes[i].lines);
	}
}

/*
 * In an SEV-ES guest the console must ask the hypervisor for each access to VGA memory.
 * When the screen is full, the console must clear it and print the next line at the top. It
 * must not scroll, because it would have to read each character from the hypervisor and
 * send it back.
 */
TEST(vga_by_request)
{
	char expected[80];
	u64 start, end;
	size_t n, i;

	set_screen(3, 80, 25);
	machine.sev_es = true;
	memset(requested_cells, 0x55, sizeof(requested_cells));
	boot("earlyprintk=vga");
	CHECK(console_vga_range(&start, &end), "no screen");
	console_vga_enable();
	for (n = 0; n < 29; n++)
		info("line %2lu\n", n);
	check_outside(0);
	for (n = 0; n < 25; n++) {
		memset(expected, ' ', sizeof(expected));
		if (n < 4)
			sprintf(expected, "line %zu", 25 + n);
		for (i = 0; i < 80; i++)
			CHECK(requested_cells[n * 80 + i] ==
			      (0x0700 | (expected[i] ? (u8)expected[i] : ' ')),
			      "line %zu, cell %zu: %#x", n, i, requested_cells[n * 80 + i]);
	}
	CHECK(requested_cells[25 * 80] == 0x5555, "writes after the screen");
}

/*
 * The loader reports its cursor's column (x) and line (y) in screen_info. The
 * console must print from there on. If the cursor is outside of the screen, the
 * console must choose a line and column inside.
 */
TEST(vga_cursor)
{
	static const struct { u8 x, y; size_t line, column; } cases[] = {
		{ 0, 0, 0, 0 }, { 5, 3, 3, 5 }, { 79, 24, 23, 79 },
		{ 80, 3, 3, 0 }, { 255, 255, 23, 0 }, { 3, 25, 23, 3 },
	};
	u64 start, end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		set_screen(3, 80, 25);
		machine.screen.orig_x = cases[i].x;
		machine.screen.orig_y = cases[i].y;
		boot("earlyprintk=vga");
		CHECK(console_vga_range(&start, &end), "no screen");
		console_vga_enable();
		info("x\n");
		CHECK(vga_memory->cells[cases[i].line * 80 + cases[i].column] ==
		      (0x0700 | 'x'), "cursor %u, %u", cases[i].x, cases[i].y);
		check_outside(80 * 25);
	}
}

TEST(vga_range)
{
	static const struct { u8 mode; u64 start; } modes[] = {
		{ 3, 0xb8000 }, { 7, 0xb0000 }, { 2, 0xb8000 },
	};
	u64 start, end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		set_screen(modes[i].mode, 80, 25);
		boot("earlyprintk=vga,keep");
		CHECK(console_vga_range(&start, &end) &&
		      start == modes[i].start && end == start + 0x8000,
		      "mode %u: %#lx to %#lx", modes[i].mode, start, end);
	}
}

/*
 * The command line asks for the VGA screen. The console must not write to VGA
 * memory until console_vga_enable() says that the memory is mapped.
 */
TEST(vga_waits)
{
	u64 start, end;

	set_screen(3, 80, 25);
	boot("earlyprintk=vga");
	info("too early\n");
	CHECK_LINE(0, "");
	CHECK(console_vga_range(&start, &end), "no screen");
	console_vga_enable();
	info("now\n");
	CHECK_LINE(0, "now");
	console_vga_disable();
	info("too late\n");
	CHECK_LINE(1, "");
}

/*
 * The hypervisor has garbled the number of buffered bytes. The console must print
 * nothing that lies after its buffer, and write nothing there.
 */
TEST(garbled_length)
{
	static const size_t lengths[] = { sizeof(console_text) + 1, 4096, ~0UL };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		power_on();
		boot("earlyprintk=ttyS0");
		memset(console_text, 'b', sizeof(console_text));
		con.len = lengths[i];
		info("x\n");
		CHECK(machine.uart[0].len <= sizeof(console_text) + strlen("x\r\n"),
		      "length %#zx: %zu bytes printed", lengths[i],
		      machine.uart[0].len);
		CHECK(con.len <= sizeof(console_text), "length %#zx", con.len);
		machine.uart[0].len = 0;
		con.len = lengths[i];
		con_flush();
		CHECK(machine.uart[0].len == sizeof(console_text), "length %#zx: %zu bytes",
		      lengths[i], machine.uart[0].len);
	}
}

static void shown(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	con_vprintf(fmt, args);
	va_end(args);
}

static void hidden(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	con_vprint_hidden(fmt, args);
	va_end(args);
}

/*
 * The console keeps the addresses of texts on the stack, where the hypervisor of an SEV-ES
 * guest can put old addresses back. In such a guest the console must print a format or an
 * argument of %s only if it lies in the stub's constants.
 */
TEST(text_elsewhere)
{
	static const char constants[] = "%s|fine%d\n";
	static const char secret[] = "se%dcret\n";
	bool sev_es;

	for (sev_es = false; ; sev_es = true) {
		power_on();
		machine.sev_es = sev_es;
		boot("earlyprintk=ttyS0");
		rodata_start = (u64)constants;
		rodata_end = (u64)constants + sizeof(constants) - 1;
		con_print(secret);
		con_printf(secret, 1);
		con_printf(constants, secret, 2);
		/* These constants end before a NUL. */
		con_print(constants + 2);
		con_flush();
		rodata_start = 0;
		rodata_end = ~0UL;
		if (sev_es)
			break;
		CHECK_OUTPUT(0, "se%dcret\r\nse1cret\r\nse%dcret?|fine2\r\n|fine%d\r\n");
	}
	CHECK_OUTPUT(0, "|fine2\r\n|fine%d\r\n");
}

/*
 * The hypervisor reads the console of an SEV-ES guest, and the numbers in an error message
 * can be contents of private memory. con_vprint_hidden() must therefore print "?" in place
 * of each number.
 */
TEST(hidden_numbers)
{
	power_on();
	/*
	 * No option has named a console yet. The console must drop these three texts
	 * without an access to a port.
	 */
	hidden("hidden %d\n", 1);
	shown("shown %d\n", 1);
	con_print("text\n");
	CHECK(!machine.accesses && !con.len, "%u accesses", machine.accesses);
	boot("earlyprintk=ttyS0");
	hidden("%s: 0x%lx-0x%016lx, %d %u%c 100%%\n", "why", 0x1234UL, 0x5678UL,
	       -12, 34U, 'c');
	CHECK(!strcmp(machine.uart[0].out, "why: 0x?-0x?, ? ?? 100%\r\n"),
	      "\"%s\"", machine.uart[0].out);
}

/*
 * The hypervisor has garbled the size of the VGA screen. The console must not move
 * memory after VGA memory, nor write there.
 */
TEST(garbled_screen)
{
	start_vga(80, 25);
	con.vga_cols = 252;
	con.vga_lines = 255;
	con.vga_y = 254;
	con.vga_x = 0;
	info("1\n2\n3\n");
	con.vga_y = 255;
	info("4");
	check_outside(ARRAY_SIZE(vga_memory->cells));
}

TEST(vga_refused)
{
	static const struct { const char *why; u8 is_vga, cols, lines; } bad[] = {
		{ "no VGA", 0, 80, 25 },
		{ "VESA", 0x23, 80, 25 },
		{ "EFI", 0x70, 80, 25 },
		{ "no columns", 1, 0, 25 },
		{ "few columns", 1, 36, 25 },
		{ "odd columns", 1, 81, 25 },
		{ "no lines", 1, 80, 0 },
		{ "few lines", 1, 80, 19 },
		{ "more than the memory", 1, 128, 129 },
		{ "everything", 1, 252, 255 },
	};
	static const char *const not_asked[] = {
		"quiet", "earlyprintk=", "earlyprintk=,", "earlyprintk=vgax",
		"earlyprintk=xvga", "earlyprintk=serial,vga",
	};
	u64 start, end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		set_screen(3, bad[i].cols, bad[i].lines);
		machine.screen.orig_video_isVGA = bad[i].is_vga;
		boot("earlyprintk=vga");
		CHECK(!console_vga_range(&start, &end), "%s", bad[i].why);
		console_vga_enable();
		CHECK(!con.vga_enabled, "%s: enabled", bad[i].why);
		info("x\n");
	}
	for (i = 0; i < ARRAY_SIZE(not_asked); i++) {
		set_screen(3, 80, 25);
		boot(not_asked[i]);
		CHECK(!console_vga_range(&start, &end), "%s", not_asked[i]);
		console_vga_enable();
		CHECK(!con.vga_enabled, "%s: enabled", not_asked[i]);
	}
	/*
	 * A screen of 128 x 128 characters fills VGA memory completely and must
	 * be accepted. So must the smallest screen, 40 x 20.
	 */
	set_screen(3, 128, 128);
	boot("earlyprintk=vga");
	CHECK(console_vga_range(&start, &end), "128 x 128 is refused");
	set_screen(3, 40, 20);
	boot("earlyprintk=vga");
	CHECK(console_vga_range(&start, &end), "40 x 20 is refused");
}

/* ---- The formatter ---- */

static const char *formatted(const char *fmt, ...)
{
	va_list args;

	boot_new("earlyprintk=serial");
	va_start(args, fmt);
	con_vprintf(fmt, args);
	va_end(args);
	con_printf("\n");
	return output(0);
}

/*
 * Fails the case unless con_vprintf() and con_printf() both print @expected. For con_printf()
 * the macro calls CON_PRINT(), which does what con_printf() does, but does not make the
 * compiler check the format. The compiler would warn of some formats here, such as "".
 */
#define CHECK_FORMAT(expected, ...)					\
	do {								\
		const char *_got = formatted(__VA_ARGS__);		\
		CHECK(!strcmp(_got, expected "\r\n"),			\
		      "\"%s\" instead of \"%s\"", _got, expected);	\
		boot_new("earlyprintk=serial");				\
		CON_PRINT(__VA_ARGS__, 0, 0, 0, 0, 0, 0);		\
		con_printf("\n");					\
		CHECK(!strcmp(output(0), expected "\r\n"),		\
		      "\"%s\" instead of \"%s\"", output(0), expected); \
	} while (0)

TEST(format)
{
	CHECK_FORMAT("", "");
	CHECK_FORMAT("plain", "plain");
	CHECK_FORMAT("a\r\nb", "a\nb");
	CHECK_FORMAT("tab\there", "tab\there");
	CHECK_FORMAT("100%", "100%%");
	CHECK_FORMAT("%%", "%%%%");

	CHECK_FORMAT("[text]", "[%s]", "text");
	CHECK_FORMAT("[]", "[%s]", "");
	CHECK_FORMAT("[(null)]", "[%s]", NULL);
	CHECK_FORMAT("[  text]", "[%6s]", "text");
	CHECK_FORMAT("[text]", "[%2s]", "text");
	CHECK_FORMAT("[x]", "[%c]", 'x');

	CHECK_FORMAT("0", "%d", 0);
	CHECK_FORMAT("42", "%d", 42);
	CHECK_FORMAT("-42", "%d", -42);
	CHECK_FORMAT("2147483647", "%d", INT32_MAX);
	CHECK_FORMAT("-2147483648", "%d", INT32_MIN);
	CHECK_FORMAT("9223372036854775807", "%ld", INT64_MAX);
	CHECK_FORMAT("-9223372036854775808", "%ld", INT64_MIN);
	CHECK_FORMAT("4294967295", "%u", UINT32_MAX);
	CHECK_FORMAT("18446744073709551615", "%lu", UINT64_MAX);
	CHECK_FORMAT("deadbeef", "%x", 0xdeadbeef);
	CHECK_FORMAT("0", "%x", 0);
	CHECK_FORMAT("ffffffffffffffff", "%lx", UINT64_MAX);
	CHECK_FORMAT("123456789abcdef0", "%lx", 0x123456789abcdef0);

	CHECK_FORMAT("[   42]", "[%5d]", 42);
	CHECK_FORMAT("[  -42]", "[%5d]", -42);
	CHECK_FORMAT("[00042]", "[%05d]", 42);
	CHECK_FORMAT("[-0042]", "[%05d]", -42);
	CHECK_FORMAT("[12345]", "[%3d]", 12345);
	CHECK_FORMAT("[00000000000000ff]", "[%016lx]", 0xffUL);
	CHECK_FORMAT("[        ff]", "[%10x]", 0xff);

	CHECK_FORMAT("1 two 0x3 4", "%d %s 0x%x %lu", 1, "two", 3, 4UL);
	CHECK(!strcmp(formatted("%d %s 0x%x %lu %ld %s", 1, "two", 3, 4UL, -5L, "six"),
		      "1 two 0x3 4 -5 six\r\n"), "%s", output(0));
}

/*
 * Conversions that the console's formatter does not know must be printed
 * unchanged. The format strings are in a table, because the compiler warns of
 * unknown conversions in a literal.
 */
TEST(format_unknown)
{
	static const char *const formats[][2] = {
		{ "[%q]", "[%q]" },
		{ "[%5q]", "[%5q]" },
		{ "[%-5d]", "[%-5d]" },
		{ "[%l]", "[%l]" },
		{ "[%lld]", "[%lld]" },
		{ "[%5%]", "[%5%]" },
		{ "[%p]", "[%p]" },
		{ "[%n]", "[%n]" },
		{ "[%.3s]", "[%.3s]" },
		{ "[%", "[%" },
		{ "[%5", "[%5" },
		{ "[%0", "[%0" },
		{ "[%l", "[%l" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		const char *got = formatted(formats[i][0]);

		CHECK(!strncmp(got, formats[i][1], strlen(formats[i][1])) &&
		      !strcmp(got + strlen(formats[i][1]), "\r\n"), "\"%s\"",
		      got);
	}
}

/*
 * A number in a format string sets the least width of the output. The formatter
 * must limit it to 80, because its buffer is small.
 */
TEST(format_width)
{
	static const char *const formats[] = {
		"%80d", "%81d", "%99d", "%999999999999999999999999d",
		"%4294967297d", "%18446744073709551617d",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		CHECK(strlen(formatted(formats[i], 1)) == 80 + strlen("\r\n"),
		      "%s: %zu characters", formats[i],
		      strlen(formatted(formats[i], 1)));
}

/*
 * A string may come from the loader. Control bytes in it must not reach the
 * terminal, because an escape sequence could change what the user sees.
 */
TEST(format_untrusted)
{
	char s[2] = "";
	char expected[8];
	int c;

	CHECK_FORMAT("a?[31mb?", "%s", "a\x1b[31mb\n");
	for (c = 1; c < 256; c++) {
		s[0] = (char)c;
		sprintf(expected, "%c\r\n", c >= ' ' && c <= '~' ? c : '?');
		CHECK(!strcmp(formatted("%s", s), expected), "%%s of %#x", c);
		CHECK(!strcmp(formatted("%c", c), expected), "%%c of %#x", c);
	}
	CHECK(!strcmp(formatted("%c", 0), "?\r\n"), "%%c of 0");
}

TEST(format_long_string)
{
	static char s[STRING_MAX + 100];

	memset(s, 'x', sizeof(s) - 1);
	CHECK(strlen(formatted("%s", s)) == STRING_MAX + strlen("\r\n"),
	      "%zu characters", strlen(formatted("%s", s)));
	/*
	 * The string has no NUL byte. The formatter must stop at its limit.
	 * ASan detects a read past the array.
	 */
	memset(s, 'x', sizeof(s));
	CHECK(strlen(formatted("%s", s)) == STRING_MAX + strlen("\r\n"),
	      "%zu characters", strlen(formatted("%s", s)));
}

/*
 * The console collects output in a buffer. It sends the buffer at each newline,
 * and when the buffer is full.
 */
TEST(gathers)
{
	size_t i;

	boot_new("earlyprintk=serial");
	machine.accesses = 0;
	for (i = 1; i < sizeof(console_text); i++)
		con_printf("x");
	CHECK(!machine.accesses, "sent after %zu bytes",
	      machine.uart[0].len);
	con_printf("x");
	CHECK(machine.uart[0].len == sizeof(console_text), "%zu bytes sent",
	      machine.uart[0].len);
	con_printf("\n");
	CHECK(machine.uart[0].len == sizeof(console_text) + strlen("\r\n"),
	      "%zu bytes sent", machine.uart[0].len);
}

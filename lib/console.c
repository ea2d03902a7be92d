/* SPDX-License-Identifier: MIT */
/*
 * console.c - text output on a UART, on QEMU's debug port and on the VGA text
 * screen. This is the only C file of the stub that uses I/O ports.
 *
 * Runs from the first C function on, also before .bss is cleared, and in
 * exception handlers. All its state is therefore in one structure in .data.
 * Every port access may be an exit to the hypervisor. Output is therefore
 * collected in a buffer and sent by string I/O, and the UART's status is read
 * once for each filling of its FIFO.
 */
#include <linux/screen_info.h>
#include <linux/serial_reg.h>

#include "console-option.h"
#include "console.h"
#include "image.h"
#include "lib/string.h"
#include "sev-es.h"
#include "x86.h"

/* Values from the 16550's data sheet that linux/serial_reg.h does not name. */
#define UART_FIFO_SIZE	16
/* Bits 7:6 of the register IIR, which are set if the FIFO works. */
#define UART_IIR_FIFO_ON 0xc0
/* The value that reading a port without a device returns. */
#define BUS_FLOATS	0xff

/*
 * Number of reads of a UART's status after which the UART counts as dead. A
 * read of a real port takes about a microsecond, so a FIFO has time to send its
 * 16 bytes even at 1200 baud. In an SEV-ES guest a read is an exit and takes
 * several microseconds, so fewer reads are made.
 */
#define UART_MAX_POLLS		0x40000
#define UART_MAX_POLLS_SEV_ES	0x8000

/*
 * VGA text memory has two bytes for each character, a colour and an ASCII code,
 * row after row.
 */
#define VGA_MONO_MODE	7
#define VGA_MONO_BASE	VGA_START
#define VGA_COLOR_BASE	0xb8000UL
#define VGA_SIZE	0x8000UL
#define VGA_CELLS_IN_U64 4
#define VGA_MIN_COLS	40
#define VGA_MIN_LINES	20

/* Size in bytes of the buffer for an option's value and its NUL. No valid value is longer. */
#define OPTION_SIZE	64
/* Greatest number of bytes that %s prints: enough for a whole command line. */
#define STRING_MAX	4096
#define WIDTH_MAX	80

static struct {
	/*
	 * True if the command line asks for output on a console that exists. If false, info()
	 * prints nothing.
	 */
	bool asked;
	bool vga_enabled;
	struct uart named;	/* the UART that uart_setup() will use */
	u16 uart_port;		/* port of the UART in use, 0 if none */
	u16 debugcon_port;	/* port of the debug console, 0 if none */
	u8 fifo_size;		/* bytes that the UART's FIFO holds */
	u8 fifo_room;		/* bytes that the FIFO can still take */
	u8 vga_cols;		/* columns of the VGA text screen; 0: no text screen */
	u8 vga_lines;
	u8 vga_x, vga_y;	/* position of the next character on the VGA screen */
	bool vga_mono;		/* VGA memory is at VGA_MONO_BASE */
	size_t len;		/* used bytes of console_text */
} con in_data = {
	.named = { TTYS0_PORT, UART_KEEP_DIVISOR },
	.fifo_size = 1,
};

char console_text[CONSOLE_TEXT_SIZE] in_data;

/*
 * The option that is being parsed. A loader has chosen its bytes, so they are kept off the
 * stack: the hypervisor could put them back there later, as a return address. They are in
 * .data because console_init() also runs before .bss is cleared.
 */
static struct {
	char value[OPTION_SIZE];
	struct uart uart;
} option in_data;

/*
 * Returns true in an SEV-ES guest, which must send requests instead of executing port I/O.
 * Terminates an SEV-ES guest if the hypervisor has changed memory so that sev_es_active()
 * returns false. Otherwise the guest would print registers and addresses by OUT, and an OUT
 * that the hypervisor does not intercept gives them to a device that it emulates.
 * Must be called right before each output. Input needs no check, because IN tells the
 * hypervisor the port only.
 */
static inline __attribute__((always_inline)) bool by_request(void)
{
	if (sev_es_active())
		return true;
	sev_rule_out_es();
	return false;
}

/*
 * Reads a byte from @port. In an SEV-ES guest IN would raise #VC, possibly inside of a
 * #VC handler that reports an error, so sev_es_inb() sends a request instead.
 */
static u8 port_in(u16 port)
{
	return sev_es_active() ? sev_es_inb(port) : inb(port);
}

static void port_out(u8 value, u16 port)
{
	if (by_request())
		sev_es_outb(value, port);
	else
		outb(value, port);
}

static void port_out_string(u16 port, const void *buf, size_t count)
{
	u64 offset;

	if (by_request()) {
		sev_es_outsb(port, buf, count);
		return;
	}
	/*
	 * In an SEV-ES guest the hypervisor can have put an old return address back on the stack
	 * that leads here, with other contents of the registers. Output only bytes of
	 * console_text.
	 */
	HOLD(port_out_string, buf, count);
	offset = (u64)buf - ADDRESS_ANEW(console_text);
	if (offset < sizeof(console_text) && count <= sizeof(console_text) - offset)
		outsb(port, buf, count);
	RELEASE(port_out_string);
}

/* -- UART */

/*
 * Stops using the current UART, because it does not answer. console_force() may
 * try ttyS0 next, unless ttyS0 was the current one.
 */
static void uart_give_up(void)
{
	con.named.port = con.uart_port == TTYS0_PORT ? 0 : TTYS0_PORT;
	con.named.divisor = UART_KEEP_DIVISOR;
	con.uart_port = 0;
}

/*
 * Waits until the UART's FIFO is empty. If that does not happen within a
 * bounded number of reads, gives the UART up and returns false, so that the
 * boot cannot hang here.
 */
static bool uart_wait(void)
{
	unsigned int polls = by_request() ? UART_MAX_POLLS_SEV_ES : UART_MAX_POLLS;
	u8 status;

	for (; polls; polls--) {
		status = port_in(con.uart_port + UART_LSR);
		if (status == BUS_FLOATS)
			break;
		if (status & UART_LSR_THRE) {
			con.fifo_room = con.fifo_size;
			return true;
		}
	}
	uart_give_up();
	return false;
}

/*
 * Sets the baud rate. UART_KEEP_DIVISOR keeps the divisor that firmware has
 * set. If that divisor is 0, firmware has set none, and the highest rate is
 * used.
 */
static void uart_set_divisor(u16 port, u16 divisor)
{
	if (divisor == UART_KEEP_DIVISOR) {
		if (port_in(port + UART_DLL) || port_in(port + UART_DLM))
			return;
		divisor = UART_DIVISOR(UART_MAX_BAUD);
	}
	port_out((u8)divisor, port + UART_DLL);
	port_out((u8)(divisor >> 8), port + UART_DLM);
}

/*
 * Starts to use the UART con.named. Writes nothing to its ports before its
 * status shows that it exists and has sent what firmware left in its FIFO.
 */
static void uart_setup(void)
{
	u16 port = con.named.port;
	bool fifo;

	con.uart_port = port;
	if (!uart_wait())
		return;

	port_out(UART_LCR_DLAB | UART_LCR_WLEN8, port + UART_LCR);
	uart_set_divisor(port, con.named.divisor);
	port_out(UART_LCR_WLEN8, port + UART_LCR);

	/*
	 * An 8250 has no FIFO, and the first 16550's FIFO does not work. In
	 * both cases the register IIR does not report an enabled FIFO.
	 */
	port_out(UART_FCR_ENABLE_FIFO, port + UART_FCR);
	fifo = (port_in(port + UART_IIR) & UART_IIR_FIFO_ON) == UART_IIR_FIFO_ON;
	con.fifo_size = fifo ? UART_FIFO_SIZE : 1;
	con.fifo_room = con.fifo_size;

	port_out(UART_MCR_DTR | UART_MCR_RTS, port + UART_MCR);
}

static void uart_send(const char *s, size_t len)
{
	size_t last, burst;

	while (len) {
		/*
		 * The text needs one burst of @last bytes and further bursts of
		 * a full FIFO. If the FIFO has room for @last bytes, send
		 * without reading the status, because each read is a port
		 * access.
		 */
		last = (len - 1) % con.fifo_size + 1;
		if (con.fifo_room < last && !uart_wait())
			return;
		/* Read the number once, because the hypervisor can change it in memory. */
		burst = READ_ONCE(con.fifo_room);
		HOLD(uart_send, burst);
		if (burst > len)
			burst = len;
		port_out_string(con.uart_port + UART_TX, s, burst);
		con.fifo_room -= (u8)burst;
		s += burst;
		len -= burst;
	}
}

/* -- VGA text */

/*
 * Returns the address of VGA memory. map_vga() maps the memory at this address without
 * the C-bit. The address is therefore one of two constants and is not kept in memory,
 * where the hypervisor could garble it.
 */
static u64 vga_base(void)
{
	return con.vga_mono ? VGA_MONO_BASE : VGA_COLOR_BASE;
}

/*
 * Writes the character at @text to the cell at @to, or a blank for NULL. An SEV-ES guest
 * sends a request, because its access to VGA memory would raise #VC, whose handler
 * terminates the guest.
 */
static void vga_put(u64 to, const char *text)
{
	if (sev_es_active())
		sev_es_vga_put(to, text);
	else
		*(volatile u16 *)to = text ? (u16)(VGA_GREY_ON_BLACK | (u8)*text) : VGA_BLANK;
}

/*
 * Moves all lines up by one. An SEV-ES guest clears the screen instead and starts again at its
 * top, because to move the lines it would need a request to read each cell, and one to write it.
 */
static void vga_scroll(void)
{
	size_t row = READ_ONCE(con.vga_cols) * sizeof(u16);
	size_t last = row * (READ_ONCE(con.vga_lines) - 1u);
	size_t i = 0;

	/* The hypervisor can change vga_cols and vga_lines. Write nowhere but to VGA memory. */
	if (last + row > VGA_SIZE)
		return;
	if (sev_es_active())
		con.vga_y = 0;
	else
		for (; i < last; i += sizeof(u64))
			*(volatile u64 *)(vga_base() + i) =
				*(volatile u64 *)(vga_base() + i + row);
	for (; i < last + row; i += sizeof(u16))
		vga_put(vga_base() + i, NULL);
}

static void vga_newline(void)
{
	con.vga_x = 0;
	if (con.vga_y + 1u < con.vga_lines)
		con.vga_y++;
	else
		vga_scroll();
}

static void vga_send(const char *s, size_t len)
{
	size_t at;

	for (; len; len--, s++) {
		if (*s == '\r')
			continue;
		if (*s == '\n' || con.vga_x == con.vga_cols)
			vga_newline();
		if (*s == '\n')
			continue;
		at = (size_t)con.vga_y * con.vga_cols + con.vga_x;
		vga_put(vga_base() + at * sizeof(u16) % VGA_SIZE, s);
		con.vga_x++;
	}
}

/*
 * Takes over boot_params' description of the screen, if it is a VGA text screen
 * whose characters fit into VGA memory. The video mode tells at which address
 * that memory is.
 */
static void vga_setup(const struct screen_info *screen)
{
	size_t cols = screen->orig_video_cols;
	size_t lines = screen->orig_video_lines;

	if (screen->orig_video_isVGA != 1 || cols < VGA_MIN_COLS ||
	    cols % VGA_CELLS_IN_U64 || lines < VGA_MIN_LINES ||
	    cols * lines * sizeof(u16) > VGA_SIZE)
		return;

	con.vga_mono = screen->orig_video_mode == VGA_MONO_MODE;
	con.vga_cols = screen->orig_video_cols;
	con.vga_lines = screen->orig_video_lines;
	con.vga_x = screen->orig_x < cols ? screen->orig_x : 0;
	con.vga_y = (u8)(screen->orig_y < lines ? screen->orig_y : lines - 1);
}

bool console_vga_range(u64 *start, u64 *end)
{
	if (!con.vga_cols)
		return false;
	*start = vga_base();
	*end = *start + VGA_SIZE;
	return true;
}

void console_vga_enable(void)
{
	con.vga_enabled = con.vga_cols != 0;
}

void console_vga_disable(void)
{
	con.vga_enabled = false;
}

/* -- Options */

/*
 * Finds the UART that the console= options name. Returns true if one of them
 * asks the stub itself to print there.
 */
static bool find_console_uart(const struct cmdline *cmdline)
{
	struct cmdline rest = *cmdline;
	bool asked = false;
	int len;

	while ((len = cmdline_next_option(&rest, "console", option.value,
					  OPTION_SIZE)) >= 0) {
		if (len >= OPTION_SIZE)
			continue;
		if (parse_console_uart(option.value, &option.uart)) {
			con.named = option.uart;
			asked = true;
		} else if (!asked && parse_console_tty(option.value, &option.uart)) {
			con.named = option.uart;
		}
	}
	return asked;
}

void console_init(const struct cmdline *cmdline,
		  const struct screen_info *screen)
{
	bool use_uart = find_console_uart(cmdline);
	int len;

	len = cmdline_find_option(cmdline, "earlyprintk", option.value, OPTION_SIZE);
	if (len >= 0 && len < OPTION_SIZE) {
		if (parse_serial(option.value, &option.uart)) {
			con.named = option.uart;
			use_uart = true;
		} else if (parse_debugcon(option.value, &option.uart.port)) {
			con.debugcon_port = option.uart.port;
		} else if (parse_vga(option.value)) {
			vga_setup(screen);
		}
	}

	if (use_uart)
		uart_setup();
	con.asked = con.uart_port || con.debugcon_port || con.vga_cols;
}

void console_force(void)
{
	while (!con.uart_port && con.named.port)
		uart_setup();
}

/* -- Formatted output */

static void con_flush(void)
{
	/*
	 * The hypervisor can change con.len. Read it once, and limit the number that was read,
	 * so that the stub does not print the memory after console_text.
	 */
	size_t len = READ_ONCE(con.len);

	HOLD(con_flush, len);
	if (len > sizeof(console_text))
		len = sizeof(console_text);
	con.len = 0;
	if (!len)
		return;
	if (con.uart_port)
		uart_send(console_text, len);
	if (con.debugcon_port)
		port_out_string(con.debugcon_port, console_text, len);
	if (con.vga_enabled)
		vga_send(console_text, len);
}

static void put_byte(char c)
{
	/*
	 * The hypervisor can change con.len. Read it once, and check the number that was read,
	 * so that the stub does not write outside of console_text.
	 */
	size_t len = READ_ONCE(con.len);

	HOLD(put_byte, len, c);
	if (len >= sizeof(console_text))
		len = 0;
	console_text[len++] = c;
	RELEASE(put_byte);
	con.len = len;
	/*
	 * Flush only after the byte is stored. An earlier call would save the byte on the stack,
	 * where the hypervisor can put other bytes.
	 */
	if (len == sizeof(console_text))
		con_flush();
}

static void put_char(char c)
{
	if (c == '\n')
		put_byte('\r');
	put_byte(c);
	if (c == '\n')
		con_flush();
}

/*
 * Returns the byte at @s, which is text to print. In an SEV-ES guest all such text is in
 * .rodata, and the result is '\0' for any other address. @s was on the stack, where the
 * hypervisor can put an old address back, and the hypervisor reads the console. The
 * comparison and the read use one register, so the address cannot change in between.
 */
static noinline char text_at(const char *s)
{
	char c;

	HOLD(text_at, s);
	if ((u64)s - (u64)_rodata >= (u64)_erodata - (u64)_rodata)
		return sev_es_active() ? '\0' : *(const volatile char *)s;
	c = *(const volatile char *)s;
	RELEASE(text_at);
	return c;
}

static void put_untrusted(char c)
{
	put_char(c >= ' ' && c <= '~' ? c : '?');
}

/*
 * A parsed conversion of a format. It consists of '%', then '0', a width and 'l', each of
 * which may be missing, and a letter.
 */
struct spec {
	u8 width;
	bool zeros;		/* pad with zeros instead of blanks */
	bool is_long;
	char letter;
};

/*
 * A conversion that takes an argument, and the text after the conversion; @behind is NULL if
 * the format has no more conversions. Functions return this structure, and take a struct
 * spec, in registers. In memory the hypervisor could put an old @behind back, and the stub
 * would print other memory.
 */
struct conversion {
	const char *behind;
	struct spec spec;
};
BUILD_BUG_ON(sizeof(struct conversion) != 2 * sizeof(u64));

static bool takes_argument(char letter)
{
	return letter == 's' || letter == 'c' || letter == 'd' ||
	       letter == 'u' || letter == 'x';
}

/* Parses a conversion after its '%'. */
static struct conversion parse_conversion(const char *s)
{
	struct spec spec = { 0 };
	unsigned int width = 0;
	char c = text_at(s);

	if (c == '0') {
		spec.zeros = true;
		c = text_at(++s);
	}
	for (; c >= '0' && c <= '9'; c = text_at(++s))
		if (width < WIDTH_MAX)
			width = width * 10 + (unsigned int)(c - '0');
	spec.width = (u8)(width < WIDTH_MAX ? width : WIDTH_MAX);
	if (c == 'l') {
		spec.is_long = true;
		c = text_at(++s);
	}
	spec.letter = c;
	return (struct conversion){ s + 1, spec };
}

/*
 * Prints the text at @fmt up to the first conversion that takes an argument. A conversion
 * that is unknown is text.
 */
static struct conversion print_text(const char *fmt)
{
	struct conversion found;
	char c;

	for (; (c = text_at(fmt)); fmt++) {
		if (c == '%') {
			found = parse_conversion(fmt + 1);
			if (takes_argument(found.spec.letter))
				return found;
			if (text_at(fmt + 1) == '%')
				fmt++;
		}
		put_char(c);
	}
	return (struct conversion){ NULL, { 0 } };
}

static void put_padding(struct spec spec, size_t len)
{
	for (; len < spec.width; len++)
		put_char(spec.zeros ? '0' : ' ');
}

static void put_string(struct spec spec, const char *s)
{
	const char *end;

	if (!s)
		s = "(null)";
	for (end = s; end - s < STRING_MAX && text_at(end); end++)
		;
	put_padding(spec, (size_t)(end - s));
	for (; s < end; s++)
		put_untrusted(text_at(s));
}

static void put_number(struct spec spec, u64 value, bool negative)
{
	unsigned int base = spec.letter == 'x' ? 16 : 10, digit;
	size_t len = 1 + negative;
	u64 unit;		/* place value of the next digit */

	for (unit = 1; value / unit >= base; unit *= base)
		len++;
	/*
	 * Padding zeros follow the minus sign, as in -007; padding blanks
	 * precede it.
	 */
	if (negative && spec.zeros)
		put_char('-');
	put_padding(spec, len);
	if (negative && !spec.zeros)
		put_char('-');
	for (; unit; unit /= base) {
		digit = (unsigned int)(value / unit % base);
		put_char((char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
	}
}

static bool has_output(void)
{
	return con.uart_port || con.debugcon_port || con.vga_enabled;
}

/* Prints @value as conversion @spec asks for, which must be one that takes an argument. */
static void put_value(struct spec spec, u64 value)
{
	s64 number = spec.is_long ? (s64)value : (s32)value;

	if (spec.letter == 's')
		put_string(spec, (const char *)value);
	else if (spec.letter == 'c')
		put_untrusted((char)value);
	else if (spec.letter == 'd')
		put_number(spec, number < 0 ? 0 - (u64)number : (u64)number, number < 0);
	else
		put_number(spec, spec.is_long ? value : (u32)value, false);
}

void con_vprintf(const char *fmt, va_list args)
{
	struct conversion at = { fmt, { 0 } };

	if (!has_output())
		return;
	while ((at = print_text(at.behind)).behind)
		put_value(at.spec, va_arg(args, u64));
}

/*
 * Prints @fmt with its strings, and with '?' in place of each number and character. The
 * hypervisor of an SEV-ES guest reads the console, and the numbers can be private memory. In
 * an SEV-ES guest a string that is not in .rodata prints nothing: see text_at().
 */
void con_vprint_hidden(const char *fmt, va_list args)
{
	struct conversion at = { fmt, { 0 } };
	u64 value;

	if (!has_output())
		return;
	while ((at = print_text(at.behind)).behind) {
		value = va_arg(args, u64);
		if (at.spec.letter == 's')
			put_string(at.spec, (const char *)value);
		else
			put_char('?');
	}
}

/*
 * Prints @fmt with at most four numbers. They are parameters and no va_list, because the
 * hypervisor could change a va_list's address in memory.
 */
void con_print_numbers(const char *fmt, u64 a, u64 b, u64 c, u64 d)
{
	struct conversion at;

	if (!has_output())
		return;
	at = print_text(fmt);
	if (at.behind) {
		put_value(at.spec, a);
		at = print_text(at.behind);
	}
	if (at.behind) {
		put_value(at.spec, b);
		at = print_text(at.behind);
	}
	if (at.behind) {
		put_value(at.spec, c);
		at = print_text(at.behind);
	}
	if (at.behind) {
		put_value(at.spec, d);
		print_text(at.behind);
	}
}

bool info_wanted(void)
{
	return con.asked;
}

void con_print(const char *text)
{
	char c;

	if (!has_output())
		return;
	for (; (c = text_at(text)); text++)
		put_char(c);
}

/* SPDX-License-Identifier: MIT */
/*
 * nmi.c - makes NMIs arrive while the image that the test loader has started runs, for the
 * option nmi=. Each NMI has a timer of the HPET. The I/O APIC turns the timer's interrupt into
 * an NMI.
 *
 * The PIT is not suitable: it has one timer only, and its clock is too coarse to choose
 * a single instruction of the image.
 */
#include "loader.h"

/* Offsets and bits of the HPET's registers (IA-PC HPET specification 1.0a, 2.3). */
#define HPET			0xfed00000
#define HPET_CAPABILITIES	0x000
#define HPET_PERIOD		0x004	/* duration of an HPET tick, in femtoseconds */
#define HPET_CONFIG		0x010
#define HPET_COUNTER		0x0f0
#define HPET_TIMER(n)		(0x100 + 0x20 * (n))
#define TIMER_CONFIG		0x00
#define TIMER_ROUTES		0x04	/* bit n: the timer can raise I/O APIC input n */
#define TIMER_COMPARATOR	0x08
#define LAST_TIMER(caps)	((caps) >> 8 & 0x1f)
#define HPET_ENABLE		(1U << 0)
#define HPET_LEGACY		(1U << 1)
#define TIMER_INTERRUPTS	(1U << 2)
#define TIMER_ROUTE(pin)	((pin) << 9)
#define FS_PER_NS		1000000UL

/*
 * The I/O APIC's registers (82093AA, 3.1, 3.2.4). A redirection entry that is just
 * DELIVER_NMI means: edge-triggered, physical destination mode, processor 0.
 */
#define IOAPIC			0xfec00000
#define IOAPIC_SELECT		0x00
#define IOAPIC_WINDOW		0x10
#define REDIRECTION(pin)	(0x10 + 2 * (pin))
#define DELIVER_NMI		(4U << 8)
#define PIT_PIN			2
#define RTC_PIN			8

static volatile u32 *reg(u64 device, u32 offset)
{
	return (volatile u32 *)(device + offset);
}

static void ioapic_write(u32 index, u32 value)
{
	*reg(IOAPIC, IOAPIC_SELECT) = index;
	*reg(IOAPIC, IOAPIC_WINDOW) = value;
}

/*
 * Returns the number of the I/O APIC input that HPET timer @n raises. Timers 0 and 1
 * replace the PIT and the RTC (LegacyReplacement). Without that, the PIT, which
 * firmware leaves running, would raise its own input and cause further NMIs.
 */
static u32 pin_of(u32 n)
{
	u32 routes = *reg(HPET, HPET_TIMER(n) + TIMER_ROUTES);

	if (n < 2)
		return n ? RTC_PIN : PIT_PIN;
	if (!routes)
		fail("nmi: the HPET's timer %u has no interrupt", n);
	return (u32)__builtin_ctz(routes);
}

/*
 * Makes HPET timer @n expire @ns nanoseconds after nmi_start() starts the HPET's
 * counter, which must still be stopped.
 */
static void set_timer(u32 n, u64 ns)
{
	u64 ticks = ns * FS_PER_NS / *reg(HPET, HPET_PERIOD);
	u32 pin = pin_of(n);

	ioapic_write(REDIRECTION(pin) + 1, 0);
	ioapic_write(REDIRECTION(pin), DELIVER_NMI);
	*reg(HPET, HPET_TIMER(n) + TIMER_CONFIG) =
		TIMER_INTERRUPTS | TIMER_ROUTE(pin);
	*reg(HPET, HPET_TIMER(n) + TIMER_COMPARATOR) = (u32)ticks;
	*reg(HPET, HPET_TIMER(n) + TIMER_COMPARATOR + 4) = (u32)(ticks >> 32);
}

void nmi_start(void)
{
	const char *s = option("nmi");
	u64 first, step = 0, count = 1;
	u32 last;

	if (!s)
		return;
	first = parse_number(&s);
	if (*s == ',') {
		step = parse_next_number(&s);
		count = parse_next_number(&s);
	}
	last = LAST_TIMER(*reg(HPET, HPET_CAPABILITIES));
	if (count > last + 1)
		fail("nmi: %lu of them, and the HPET has %u timers", count,
		     last + 1);

	*reg(HPET, HPET_CONFIG) = HPET_LEGACY;
	*reg(HPET, HPET_COUNTER) = 0;
	*reg(HPET, HPET_COUNTER + 4) = 0;
	for (u32 n = 0; n < count; n++)
		set_timer(n, first + n * step);
	*reg(HPET, HPET_CONFIG) = HPET_LEGACY | HPET_ENABLE;
}

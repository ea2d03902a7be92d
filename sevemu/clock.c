/* SPDX-License-Identifier: MIT */
/*
 * clock.c - kvm-clock: tells the guest the frequency of its TSC, and the time of day.
 *
 * Runs when the guest writes one of kvm-clock's two MSRs.  The guest names a structure in
 * shared memory, from which it then computes the time by RDTSC, without an exit.  sevemu
 * fills in the structure once, because the TSC of QEMU's processor never changes its
 * frequency and the machine never moves to another host.
 *
 * Without kvm-clock a guest has to calibrate the TSC by timers.  Each access to a timer is
 * an exit that takes longer than the calibration allows, so Linux would give up the TSC and
 * count timer interrupts, of which a busy machine loses many.
 */
#include "clock.h"
#include "main.h"
#include "npt.h"
#include "rmp.h"
#include "sevemu.h"

/* Bit 0 of MSR_KVM_SYSTEM_TIME turns the clock on. */
#define SYSTEM_TIME_ENABLE	1
/* Bit of system_time.flags: the times that all processors read never go back. */
#define PVCLOCK_TSC_STABLE	1

#define PORT_PIT_CHANNEL2	0x42
#define PORT_PIT_COMMAND	0x43
#define PIT_CHANNEL2_MODE0	0xb0	/* low and high byte, count once */
#define PIT_LATCH2		0x80
#define PIT_HZ			1193182
/* Number of ticks of the PIT during which the TSC is measured: 40 ms. */
#define PIT_SPAN		47727
#define MEASURE_TRIES		20
#define PORT_SPEAKER		0x61
#define SPEAKER_GATE		0x01	/* channel 2 counts */
#define SPEAKER_DATA		0x02	/* channel 2 drives the speaker */

#define PORT_CMOS_INDEX		0x70
#define PORT_CMOS_DATA		0x71
#define CMOS_STATUS_A		0x0a
#define CMOS_UPDATING		0x80
#define CMOS_STATUS_B		0x0b
#define CMOS_BINARY		0x04
#define CMOS_CENTURY		0x32

#define NANOSECONDS		1000000000ull

/* Linux's struct pvclock_vcpu_time_info (asm/pvclock-abi.h). */
struct system_time {
	u32 version;		/* odd: the host changes the rest */
	u32 pad0;
	u64 tsc;		/* the TSC at the time @ns */
	u64 ns;			/* nanoseconds since the machine's start */
	/* Nanoseconds are (ticks << shift) * mul >> 32; a negative shift is to the right. */
	u32 mul;
	signed char shift;
	u8 flags;
	u8 pad[2];
} __attribute__((packed));

/* Linux's struct pvclock_wall_clock: the time of day at the machine's start. */
struct wall_clock {
	u32 version;
	u32 seconds;		/* since 1970 */
	u32 ns;
} __attribute__((packed));

/*
 * The guest's values of kvm-clock's MSRs.  Each virtual CPU has a struct system_time of its
 * own, and all have one struct wall_clock.
 */
static u64 system_time_msr[VCPUS_MAX], wall_clock_msr;
static u64 tsc_khz;		/* the TSC's frequency in kHz; 0: not measured yet */

bool clock_has(u32 msr)
{
	return msr == MSR_KVM_SYSTEM_TIME || msr == MSR_KVM_WALL_CLOCK;
}

u64 clock_read(const struct vcpu *vcpu, u32 msr)
{
	return msr == MSR_KVM_SYSTEM_TIME ? system_time_msr[vcpu->id] : wall_clock_msr;
}

/*
 * Reads the count of the PIT's channel 2, and sets *@tsc to the TSC of this moment.
 * Reads 8 times and keeps the fastest read, because the machine on which QEMU runs may
 * interrupt QEMU during a read.
 */
static u16 pit_count(u64 *tsc)
{
	u64 best = ~0ull, before, after;
	u16 count = 0, low;
	unsigned int i;

	*tsc = 0;
	for (i = 0; i < 8; i++) {
		before = rdtsc();
		outb(PORT_PIT_COMMAND, PIT_LATCH2);
		after = rdtsc();
		low = inb(PORT_PIT_CHANNEL2);
		low |= inb(PORT_PIT_CHANNEL2) << 8;
		if (after - before >= best)
			continue;
		best = after - before;
		count = low;
		*tsc = before + best / 2;
	}
	return count;
}

/*
 * Lets channel 2 of the PIT count during PIT_SPAN ticks, and returns the frequency of the TSC
 * in kHz.  Returns 0 if the count has passed 0, because the machine on which QEMU runs has
 * stopped QEMU for too long.
 */
static u64 measure_once(void)
{
	u16 first, last, previous;
	u64 start, end;

	outb(PORT_PIT_COMMAND, PIT_CHANNEL2_MODE0);
	outb(PORT_PIT_CHANNEL2, 0xff);
	outb(PORT_PIT_CHANNEL2, 0xff);
	first = pit_count(&start);
	last = first;
	do {
		previous = last;
		last = pit_count(&end);
		if (last > previous)
			return 0;
	} while (first - last < PIT_SPAN);
	return (end - start) * PIT_HZ / (first - last) / 1000;
}

/*
 * Sets tsc_khz.  Measures until two results agree to a thousandth, because the machine on
 * which QEMU runs may stop QEMU for longer than the PIT's whole count.  With --icount does
 * not measure, because the TSC then counts nanoseconds.
 */
static void measure(void)
{
	u8 speaker = inb(PORT_SPEAKER);
	u64 previous = 0, difference;
	unsigned int tries = MEASURE_TRIES;

	if (config.icount) {
		tsc_khz = NANOSECONDS / 1000;
		return;
	}
	outb(PORT_SPEAKER, (speaker & ~SPEAKER_DATA) | SPEAKER_GATE);
	do {
		previous = tsc_khz;
		tsc_khz = measure_once();
		difference = tsc_khz > previous ? tsc_khz - previous : previous - tsc_khz;
	} while (!tsc_khz || (difference > tsc_khz / 1000 && --tries));
	outb(PORT_SPEAKER, speaker);
}

/*
 * Returns the host address of the @size bytes at @gpa, and makes them shared.  Returns NULL if
 * they are not aligned RAM in one page, or if an SNP guest has not shared them.
 */
static void *shared(u64 gpa, u64 size)
{
	if (gpa % sizeof(u32) || (gpa & PAGE_MASK) + size > PAGE_SIZE || npt_is_rom(gpa))
		return NULL;
	if (guest_is_snp() && (!npt_rmp(gpa) || !rmp_shared(gpa)))
		return NULL;
	return npt_frame(gpa, VIEW_SHARED);
}

static void put_system_time(u64 gpa)
{
	struct system_time *t = shared(gpa, sizeof(*t));
	u64 hz = tsc_khz * 1000, now = rdtsc();

	if (!t)
		return;
	t->version++;
	t->version |= 1;
	/* Choose the shift so that mul, which is below 2^32, has as many bits as possible. */
	t->shift = 0;
	for (; hz > 2 * NANOSECONDS; hz >>= 1)
		t->shift--;
	for (; hz <= NANOSECONDS; hz <<= 1)
		t->shift++;
	t->mul = (NANOSECONDS << 32) / hz;
	t->tsc = now;
	t->ns = now / tsc_khz * 1000000 + now % tsc_khz * 1000000 / tsc_khz;
	t->flags = PVCLOCK_TSC_STABLE;
	t->version++;
}

/* Returns the number in byte @index of CMOS.  @decimal: CMOS holds it as binary-coded decimal. */
static unsigned int cmos(u8 index, bool decimal)
{
	u8 value;

	outb(PORT_CMOS_INDEX, index);
	value = inb(PORT_CMOS_DATA);
	return decimal ? (value >> 4) * 10 + (value & 0xf) : value;
}

/* Returns the time of the machine's real-time clock, in seconds since 1970. */
static u64 time_of_day(void)
{
	static const u16 before_month[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334,
	};
	bool decimal = !(cmos(CMOS_STATUS_B, false) & CMOS_BINARY);
	unsigned int year, month, day, days;

	while (cmos(CMOS_STATUS_A, false) & CMOS_UPDATING)
		;
	year = cmos(CMOS_CENTURY, decimal) * 100 + cmos(9, decimal);
	month = cmos(8, decimal);
	day = cmos(7, decimal);
	if (year < 1970 || month < 1 || month > 12)
		return 0;
	days = (year - 1970) * 365 + (year - 1969) / 4 - (year - 1901) / 100 +
	       (year - 1601) / 400 + before_month[month - 1] + day - 1;
	if (month > 2 && year % 4 == 0 && (year % 100 || year % 400 == 0))
		days++;
	return ((days * 24ull + cmos(4, decimal)) * 60 + cmos(2, decimal)) * 60 +
	       cmos(0, decimal);
}

static void put_wall_clock(u64 gpa)
{
	struct wall_clock *w = shared(gpa, sizeof(*w));

	if (!w)
		return;
	w->version++;
	w->version |= 1;
	w->seconds = time_of_day() - rdtsc() / (tsc_khz * 1000);
	w->ns = 0;
	w->version++;
}

void clock_write(const struct vcpu *vcpu, u32 msr, u64 value)
{
	if (!tsc_khz)
		measure();
	if (msr == MSR_KVM_SYSTEM_TIME) {
		system_time_msr[vcpu->id] = value;
		if (value & SYSTEM_TIME_ENABLE)
			put_system_time(value & ~(u64)SYSTEM_TIME_ENABLE);
	} else {
		wall_clock_msr = value;
		put_wall_clock(value);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ghcb.c - libFuzzer target for the GHCB page from sev_es_setup_ghcb() to
 * sev_es_shutdown(). The input chooses the order of port I/O, and the replies of the
 * fake host (scripted_host.h).
 *
 * A model predicts the contents of the GHCB page for each request (GHCB 4.1). It
 * expects no request while there is no GHCB page.
 */
#include "scripted_host.h"

#include "fuzz.h"

#define OPERATIONS	8
#define TEXT_SIZE	5000

static struct input *replies;
/* true: the model expects that the guest has terminated by now. */
static bool ended;
/* The GHCB MSR's value that the model expects when the guest terminates. */
static u64 words;

static void ends(unsigned int code)
{
	ended = true;
	words = 0x2100 | (u64)code << 16;
}

/*
 * Takes the host's reply to the last expected request from the input, and predicts
 * its effect. @output is true if the stub needs a valid RAX in the reply. Returns
 * whether the stub must accept the reply as success.
 */
static bool answered(bool output)
{
	struct step *step = current_step();
	u8 how = take_u8(replies);
	u64 info_1 = 0, info_2 = 0;

	if (how & 1)
		info_1 = how & 2 ? 1 : take_u64(replies);
	if (how & 4)
		info_2 = how & 2 ? 0x80000b0d : take_u64(replies);
	result(info_1, info_2);
	if (output)
		answers(RAX, take_u64(replies));
	if (how & 8)
		memset(step->answer + BITMAP, 0, GHCB_VALID_BITMAP_SIZE);
	if (how & 32) {
		injects_gp();
		return false;
	}

	if (info_1 == 1 && ((u32)info_2 == 0x80000b0d ||
			    (u32)info_2 == 0x8000030d ||
			    (u32)info_2 == 0x80000306))
		return false;
	if (info_1)
		ends(info_1 == 1 ? 9 : 8);
	else if (output && how & 8)
		ends(8);
	return !ended;
}

/* ---- each operation: predict*() is the model, operate() calls the stub ---- */

static bool up;				/* the guest has a GHCB page */
static u8 want_in;			/* the expected result of sev_es_inb() */

static void predict_in(u16 port)
{
	want_in = 0xff;
	if (!up)
		return;
	expect_exit(0x7b, (u64)port << 16 | 0x11, 0);
	if (answered(true))
		want_in = current_step()->answer[RAX];
}

static void predict_out(u16 port, u8 value)
{
	if (!up)
		return;
	expect_exit(0x7b, (u64)port << 16 | 0x10, 0);
	sends(RAX, value);
	answered(false);
}

static void predict_outs(u16 port, size_t size)
{
	size_t at = 0, part;

	while (up && at < size && !ended) {
		part = size - at < BUFFER_SIZE ? size - at : BUFFER_SIZE;
		expect_exit(0x7b, (u64)port << 16 | 0xe1c, part);
		sends_data(console_text + at, part);
		answered(false);
		at += part;
	}
}

static void operate(unsigned int op, u16 port, u16 arg)
{
	switch (op) {
	case 0:
		CHECK(sev_es_inb(port) == want_in, "not %#x", want_in);
		break;
	case 1:
		sev_es_outb((u8)arg, port);
		break;
	case 2:
		sev_es_outsb(port, console_text, arg % TEXT_SIZE);
		break;
	case 3:
		sev_es_shutdown();
		CHECK(!host.msr, "the MSR is left at %#lx", host.msr);
		CHECK(!memchr(&ghcb_page, GARBAGE, PAGE_END),
		      "what the host wrote is left%s", "");
		break;
	case 4:
		sev_es_setup_ghcb(&bp);
		break;
	}
	CHECK(!es.busy, "the page is still in use%s", "");
}

static void predict(unsigned int op, u16 port, u16 arg)
{
	switch (op) {
	case 0:
		predict_in(port);
		break;
	case 1:
		predict_out(port, (u8)arg);
		break;
	case 2:
		predict_outs(port, arg % TEXT_SIZE);
		break;
	case 3:
		up = false;
		break;
	case 4:
		up = true;
		break;
	}
}

static void fresh_guest(void)
{
	static bool there;
	size_t i;

	if (!there) {
		make_memory();
		for (i = 0; i < sizeof(console_text); i++)
			console_text[i] = (char)(i * 11);
		there = true;
	}
	memset(&host.count, 0, sizeof(host) - offsetof(typeof(host), count));
	memset(&es, 0, sizeof(es));
	memset(&sev_guest, 0, sizeof(sev_guest));
	host.sev_status = 3;
	host.has_sev_status = true;
	sev_guest.status = 3;
	sev_guest.cbit = 51;
	sev_guest.known = true;
	es.version = 1;
	make_map();
	up = ended = false;
}

static void fuzz_one(struct input *in)
{
	unsigned int i, op;
	u64 got = 0;
	u16 port, arg;

	fresh_guest();
	replies = in;
	for (i = 0; i < OPERATIONS && in->size && !ended; i++) {
		op = take_u8(in) % 5;
		port = take_u16(in);
		arg = take_u16(in);
		/*
		 * Operation 0 reads a port, 3 shuts the GHCB page down, and 4 sets the
		 * page up. The first operation is 0 or 4. If it is 0, a port is read
		 * while no page is set up, and the second operation may be 4. No later
		 * operation is 4, because the stub sets the page up once only. Operation
		 * 3 is left out while no page is set up, because the stub shuts down
		 * only a page that is set up.
		 */
		if (i == 0)
			op = take_u8(in) & 1 ? 0 : 4;
		else if (op == 3 && !up)
			continue;
		else if (op == 4 && (up || i > 1))
			continue;
		host.count = host.at = 0;
		host.trace[0] = '\0';
		predict(op, port, arg);
		host.ending = true;
		if (!setjmp(host.end))
			operate(op, port, arg);
		else
			got = host.last_words;
		host.ending = false;
		CHECK(got == (ended ? words : 0), "ends with %#lx, not %#lx",
		      got, ended ? words : 0);
		CHECK(host.at == host.count, "%u exchanges instead of %u",
		      host.at, host.count);
	}
}

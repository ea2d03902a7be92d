#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# digest.pl - computes the launch digest of a guest of sevemu a second time, for the suite
# sevemu. It is written from the formats' descriptions (SEV-SNP firmware ABI, PAGE_INFO; SEV
# API, LAUNCH_UPDATE_DATA; OVMF's SEV metadata; APM2 appendix B) and from the order of pages
# in docs/emulator-snp.md, and shares nothing with sevemu.
#
#	digest.pl image FILE SETUP
#		makes a bzImage that halts at its entries, with the setup sectors of SETUP
#	digest.pl firmware es|snp FILE [KERNEL INITRD CMDLINE RAM_SIZE]
#		prints the digest of a firmware launch and of the kernel hashes, if the
#		firmware wants them.
#		INITRD may be empty. RAM_SIZE is QEMU's, in bytes.
#	digest.pl direct es|snp CBIT MODE VALIDATED IMAGE INITRD RAM
#		prints the digest of a launch in MODE direct64 or direct32 on a machine without
#		ACPI. RAM is the machine's memory after the run, which the image of `image'
#		leaves as it was but for accessed bits in the page tables. CMDLINE is at
#		0x20000 there.
use strict;
use warnings;
no warnings 'portable';	# 64-bit numbers
use Digest::SHA qw(sha256 sha384 sha256_hex);

my $PAGE = 0x1000;
my ($NORMAL, $VMSA, $ZERO, $SECRETS, $CPUID) = (1, 2, 3, 5, 6);

sub slurp {
	my ($file) = @_;
	open(my $in, '<:raw', $file) or die "$file: $!\n";
	local $/;
	return scalar <$in>;
}

# The digest so far: of SNP a chain over pages, of SEV-ES one hash over all contents.
my $sev;
my $chain = "\0" x 48;
my $plain = Digest::SHA->new(256);

# page(GPA, TYPE, CONTENTS): adds one page.
sub page {
	my ($gpa, $type, $contents) = @_;
	my $hashed = $type == $NORMAL || $type == $VMSA;
	if ($sev eq 'snp') {
		$chain = sha384($chain . ($hashed ? sha384($contents) : "\0" x 48) .
				pack('vCCCCCCQ<', 0x70, $type, 0, 0, 0, 0, 0, $gpa));
	} elsif ($hashed) {
		$plain->add($contents);
	}
}

# pages(GPA, TYPE, CONTENTS): adds all pages of CONTENTS, of which the last may be cut.
sub pages {
	my ($gpa, $type, $contents) = @_;
	$contents .= "\0" x (-length($contents) % $PAGE);
	for (my $at = 0; $at < length($contents); $at += $PAGE) {
		page($gpa + $at, $type, substr($contents, $at, $PAGE));
	}
}

sub finish {
	print unpack('H*', $sev eq 'snp' ? $chain : $plain->digest), "\n";
}

# vmsa(FIELDS): adds the saved state with what FIELDS says, OFFSET => [FORMAT, VALUES...].
sub vmsa {
	my %fields = (
		0x70 => ['vvVQ<', 0, 0x82, 0xffff, 0],		# LDTR
		0x90 => ['vvVQ<', 0, 0x8b, 0xffff, 0],		# TR
		0xd0 => ['Q<', 0x1000],				# EFER
		0x148 => ['Q<', 0x40],				# CR4
		0x158 => ['Q<', 0x10],				# CR0
		0x160 => ['Q<', 0x400],				# DR7
		0x168 => ['Q<', 0xffff0ff0],			# DR6
		0x170 => ['Q<', 2],				# RFLAGS
		0x268 => ['Q<', 0x0007040600070406],		# PAT
		0x3b0 => ['Q<', $sev eq 'snp' ? 1 : 0],		# SEV_FEATURES
		0x3e8 => ['Q<', 1],				# XCR0
		0x408 => ['V', 0x1f80],				# MXCSR
		0x410 => ['v', 0x37f],				# FCW
		@_,
	);
	my $state = "\0" x $PAGE;
	for my $offset (keys %fields) {
		my ($format, @values) = @{$fields{$offset}};
		my $bytes = pack($format, @values);
		substr($state, $offset, length($bytes)) = $bytes;
	}
	page(0xfffffffff000, $VMSA, $state);
}

# guid(TEXT): the 16 bytes of a GUID.
sub guid {
	my ($a, $b, $c, $d, $e) = split(/-/, $_[0]);
	return pack('Vvv', hex $a, hex $b, hex $c) . pack('H*', $d . $e);
}

# table_entry(FIRMWARE, GUID): the data of an entry in the table at the firmware's end.
sub table_entry {
	my ($firmware, $guid) = @_;
	my $end = length($firmware) - 32;
	substr($firmware, $end - 16, 16) eq guid('96b582de-1fb2-45f7-baea-a366c55a082d')
		or die "the firmware has no table of GUIDs\n";
	my $start = $end - unpack('v', substr($firmware, $end - 18, 2));
	for ($end -= 18; $end > $start; ) {
		my $size = unpack('v', substr($firmware, $end - 18, 2));
		return substr($firmware, $end - $size, $size - 18)
			if substr($firmware, $end - 16, 16) eq guid($guid);
		$end -= $size;
	}
	return undef;
}

sub hash_entry {
	my ($guid, $data) = @_;
	return guid($guid) . pack('v', 50) . sha256($data);
}

# The kernel as firmware gets it from fw_cfg: a QEMU without SEV fills in the setup header
# (boot.rst "The Real-Mode Kernel Header").
sub kernel_of_fw_cfg {
	my ($kernel, $initrd_size, $ram_size) = @_;
	substr($kernel, 0x210, 1) = "\xb0";				# type_of_loader
	substr($kernel, 0x211, 1) = chr(ord(substr($kernel, 0x211, 1)) | 0x80);	# loadflags
	substr($kernel, 0x224, 2) = pack('v', 0xfe00);			# heap_end_ptr
	substr($kernel, 0x228, 4) = pack('V', 0x20000);			# cmd_line_ptr
	if ($initrd_size) {
		# QEMU keeps 0x28000 bytes after the initrd free for ACPI tables.
		my $end = $ram_size - 0x28000 - 1;
		my $max = unpack('V', substr($kernel, 0x22c, 4));
		$end = $max if $max < $end;
		substr($kernel, 0x218, 8) =
			pack('VV', ($end - $initrd_size) & ~0xfff, $initrd_size);
	}
	return $kernel;
}

sub kernel_hashes {
	my ($kernel, $initrd, $cmdline, $ram_size) = @_;
	$kernel = kernel_of_fw_cfg($kernel, length($initrd), $ram_size);
	my $entries = hash_entry('97d02dd8-bd20-4c94-aa78-e7714d36ab2a', "$cmdline\0") .
		hash_entry('44baf731-3a2f-4bd7-9af1-41e29169781d', $initrd) .
		hash_entry('4de79437-abd2-427f-b835-d5b172d2045b', $kernel);
	return guid('9438d606-4f22-4cc9-b479-a793d411fd21') . pack('v', 18 + length($entries)) .
		$entries;
}

sub firmware {
	my ($file, @kernel) = @_;
	my $firmware = slurp($file);
	pages(0x100000000 - length($firmware), $NORMAL, $firmware);
	if ($sev eq 'snp') {
		my $offset = table_entry($firmware, 'dc886566-984a-4798-a75e-5585a7bf67cc');
		# Firmware without the entry has no sections.
		my $at = $offset ? length($firmware) - unpack('V', $offset) : undef;
		my ($magic, undef, $version, $count) = defined($at) ?
			unpack('a4VVV', substr($firmware, $at, 16)) : ('ASEV', 0, 1, 0);
		$magic eq 'ASEV' && $version == 1 or die "the firmware has no SEV metadata\n";
		for my $n (0 .. $count - 1) {
			my ($gpa, $size, $type) =
				unpack('VVV', substr($firmware, $at + 16 + 12 * $n, 12));
			my $contents = "\0" x $size;
			my %types = (1 => $ZERO, 2 => $SECRETS, 3 => $CPUID, 4 => $ZERO,
				     0x10 => $ZERO);
			my $page_type = $types{$type} or die "unknown section type $type\n";
			if ($type == 0x10 && @kernel) {
				my $base = unpack('V', table_entry($firmware,
						'7255371f-3a3b-4b04-927b-1da6efa8d454'));
				my $hashes = kernel_hashes(slurp($kernel[0]),
					$kernel[1] eq '' ? '' : slurp($kernel[1]),
					$kernel[2], $kernel[3]);
				substr($contents, $base & 0xfff, length($hashes)) = $hashes;
				$page_type = $NORMAL;
			}
			pages($gpa, $page_type, $contents);
		}
	}
	my $area = table_entry($firmware, '7255371f-3a3b-4b04-927b-1da6efa8d454');
	if ($sev eq 'es' && @kernel && $area && unpack('V', $area)) {
		# QEMU's table of hashes has 176 bytes, and only these are measured.
		my $hashes = kernel_hashes(slurp($kernel[0]),
			$kernel[1] eq '' ? '' : slurp($kernel[1]), $kernel[2], $kernel[3]);
		$plain->add($hashes . "\0" x (176 - length($hashes)));
	}
	my @data = ('vvVQ<', 0, 0x93, 0xffff, 0);
	vmsa((map { $_ => [@data] } 0x00, 0x20, 0x30, 0x40, 0x50),
	     0x10 => ['vvVQ<', 0xf000, 0x9b, 0xffff, 0xffff0000],
	     0x60 => ['vvVQ<', 0, 0, 0xffff, 0], 0x80 => ['vvVQ<', 0, 0, 0xffff, 0],
	     0x178 => ['Q<', 0xfff0], 0x310 => ['Q<', 0x800f12]);
	finish();
}

sub image {
	my ($to, $setup_of) = @_;
	my $setup = substr(slurp($setup_of), 0, 0x400);
	my $code = "\xfa\xf4" . "\x90" x 0x1fe . "\xfa\xf4" . 'kernel' x 1000;
	open(my $out, '>:raw', $to) or die "$to: $!\n";
	print $out $setup, $code;
	close($out) or die "$to: $!\n";
}

sub direct {
	my ($cbit, $mode, $validated, $file, $initrd, $ram_file) = @_;
	my $image = slurp($file);
	my $ram = slurp($ram_file);
	my $end = length($ram) - 0x2000000;	# the rest is sevemu's
	my $load = unpack('Q<', substr($image, 0x258, 8));
	my $init_size = unpack('V', substr($image, 0x260, 4));
	my $size = length($image) - 0x400;
	my $initrd_size = -s $initrd;
	my $long = $mode eq 'direct64';
	my %done;
	my $add = sub {
		my ($gpa, $length, $type) = @_;
		$length += -$length % $PAGE;
		pages($gpa, $type, substr($ram, $gpa, $length));
		$done{$_} = 1 for map { $gpa + $_ * $PAGE } 0 .. $length / $PAGE - 1;
	};
	my $cmdline = index($ram, "\0", 0x20000) - 0x20000;

	# The processor has set accessed bits in the page tables.
	for (my $at = 0x11000; $long && $at < 0x17000; $at += 8) {
		my $entry = unpack('Q<', substr($ram, $at, 8)) & ~0x60;
		substr($ram, $at, 8) = pack('Q<', $entry);
	}
	$add->($load, $size, $NORMAL);
	my $rest = $load + $size + -$size % $PAGE;
	$add->($rest, $load + $init_size - $rest, $ZERO);
	my $limit = unpack('V', substr($image, 0x22c, 4)) + 1;
	$limit = $end if $limit > $end;
	my $initrd_at = ($limit - $initrd_size) & ~0xfff;
	$add->($initrd_at, $initrd_size, $NORMAL);
	if ($sev eq 'snp') {
		$add->(0x39000, $PAGE, $NORMAL);
		$add->(0x3a000, $PAGE, $SECRETS);
		$add->(0x3b000, $PAGE, $CPUID);
		$add->(0x3c000, $PAGE, $ZERO);
	}
	$add->(0x10000, $PAGE, $NORMAL);
	$add->(0x20000, $cmdline + 1, $NORMAL);
	$add->(0x8000, $PAGE, $NORMAL);
	$add->(0x11000, 6 * $PAGE, $NORMAL) if $long;
	if ($sev eq 'snp' && $validated eq 'all') {
		for my $range ([0, 0xa0000], [0xc0000, $end]) {
			for (my $gpa = $range->[0]; $gpa < $range->[1]; $gpa += $PAGE) {
				page($gpa, $ZERO, '') unless $done{$gpa};
			}
		}
	}
	my @data = ('vvVQ<', 0x18, 0xc93, 0xffffffff, 0);
	vmsa((map { $_ => [@data] } 0x00, 0x20, 0x30, 0x40, 0x50),
	     0x10 => ['vvVQ<', 0x10, $long ? 0xa9b : 0xc9b, 0xffffffff, 0],
	     0x60 => ['vvVQ<', 0, 0, 0x1f, 0x8000], 0x80 => ['vvVQ<', 0, 0, 0, 0],
	     0xd0 => ['Q<', $long ? 0x1d00 : 0x1000],
	     0x148 => ['Q<', $long ? 0x60 : 0x40],
	     0x150 => ['Q<', $long ? 0x11000 | 1 << $cbit : 0],
	     0x158 => ['Q<', $long ? 0x80010031 : 0x31],
	     0x178 => ['Q<', $long ? $load + 0x200 : $load],
	     0x1d8 => ['Q<', 0x9000], 0x330 => ['Q<', 0x10000]);
	finish();
}

my ($what, @args) = @ARGV;
if ($what eq 'image') {
	image(@args);
} elsif ($what eq 'firmware') {
	$sev = shift @args;
	firmware(@args);
} elsif ($what eq 'direct') {
	$sev = shift @args;
	direct(@args);
} else {
	die "usage: see the first lines of digest.pl\n";
}

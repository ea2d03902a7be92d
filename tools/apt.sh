# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# apt.sh - functions that download packages from the archive that this machine's
# apt is configured for. They leave the machine's apt state alone and work as root
# and as an ordinary user. The fetch-* scripts source this file.

# die MESSAGE: prints one line on stderr and exits with status 1.
die()
{
	echo "${0##*/}: $1" >&2
	exit 1
}

# apt_private TYPE [SUITE]: makes a private apt state in a temporary directory,
# $apt_dir, and fetches package lists into it. apt_cache and apt_fetch then use
# that state. The state has the machine's archive entries, changed to TYPE (deb
# or deb-src). With SUITE the entries name that suite, and entries of security
# and other updates are dropped. Fails if no list of TYPE could be fetched.
#
# The system's own lists are not used, because they may be older than the last
# security update and name packages that the archive has removed.
apt_private()
{
	command -v apt-get >/dev/null ||
		die "no apt-get on this system${elsewhere:+: $elsewhere}"
	apt_dir=$(mktemp -d)
	fetch=
	trap 'kill $fetch 2>/dev/null || :; rm -rf "$apt_dir"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir -p "$apt_dir/parts" "$apt_dir/lists/partial" \
		"$apt_dir/cache/archives/partial" "$apt_dir/download"
	: >"$apt_dir/none"

	apt_list=/etc/apt/sources.list
	apt_parts=/etc/apt/sources.list.d
	eval "$(apt-config shell apt_list Dir::Etc::sourcelist/f \
		apt_parts Dir::Etc::sourceparts/d)"
	for file in "$apt_list" "${apt_parts%/}"/*.list \
		"${apt_parts%/}"/*.sources; do
		[ -r "$file" ] || continue
		copy=$apt_dir/parts/${file##*/}
		case $file in
		*.sources)
			sed -E "s/^Types:.*/Types: $1/" "$file" >"$copy"
			;;
		*)
			sed -nE "s/^[[:space:]]*deb(-src)?[[:space:]]+/$1 /p" \
				"$file" | sort -u >"$copy"
			;;
		esac
	done

	[ -z "${2:-}" ] || sed -i -E \
		-e 's/^Suites:.*-security.*/Enabled: no\nSuites: none/' \
		-e "s/^Suites:.*/Suites: $2/" \
		-e "s/^(deb[^ ]*( +\\[[^]]*\\])? +[^ ]+) +[a-z]+ /\\1 $2 /" \
		-e '/^deb[^ ]*( +\[[^]]*\])? +[^ ]+ +[a-z]+-[a-z]+ /d' \
		"$apt_dir"/parts/*

	# apt reads this file after the system's configuration, so that proxies
	# set there still apply. The update hooks are cleared, because they
	# maintain the system's own lists. The sandbox user is the caller,
	# because user _apt cannot enter root's private directory.
	cat >"$apt_dir/conf" <<-END
		Dir::Etc::sourcelist "$apt_dir/none";
		Dir::Etc::sourceparts "$apt_dir/parts";
		Dir::State::Lists "$apt_dir/lists";
		Dir::Cache "$apt_dir/cache";
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	END

	# A suite that is named is asked for pinned versions only, whose digest the caller
	# compares. A mirror's old index is as good for them.
	[ -z "${2:-}" ] || echo 'Acquire::Check-Valid-Until "false";' >>"$apt_dir/conf"

	# Ignore the status, because one archive of several may be out of reach
	# or have no lists of this type. Any list at all is enough to go on.
	apt-get -q -c "$apt_dir/conf" update >"$apt_dir/log" 2>&1 || true
	case $1 in
	deb) ls "$apt_dir"/lists/*_Packages* ;;
	deb-src) ls "$apt_dir"/lists/*_Sources* ;;
	esac >/dev/null 2>&1
}

# apt_cache ARGUMENT...: runs apt-cache on the private state.
apt_cache()
{
	apt-cache -q -c "$apt_dir/conf" "$@"
}

# apt_fetch MEGABYTES ARGUMENT...: runs apt-get ARGUMENT... in $apt_dir/download,
# and prints every two seconds how many of the expected MEGABYTES have come.
# Returns apt-get's exit status. Its output is in $apt_dir/log.
apt_fetch()
{
	total=$1
	shift
	(cd "$apt_dir/download" && exec apt-get -q -c "$apt_dir/conf" "$@") \
		>>"$apt_dir/log" 2>&1 &
	fetch=$!
	ticks=0
	while kill -0 "$fetch" 2>/dev/null; do
		sleep 0.2
		ticks=$((ticks + 1))
		[ $((ticks % 10)) -eq 0 ] || continue
		done_kib=$(du -sk "$apt_dir/download" | cut -f 1)
		echo "          $((done_kib / 1024)) of $total MB"
	done
	done=$fetch
	fetch=
	wait "$done"
}

# apt_why: prints apt's last error message, without its prefix "E: ".
apt_why()
{
	sed -n 's/^E: //p' "$apt_dir/log" | tail -n 1
}

# The release of Debian that has the pinned versions. Archives keep it while later
# releases are in use.
pinned_suite=bookworm

# fetch_pinned PACKAGE VERSION: fetches the source package, from the machine's own
# release or else from $pinned_suite in the same archive.
fetch_pinned()
{
	apt_private deb-src ||
		die "the package archive cannot be reached, or has no sources ($(apt_why)): $elsewhere"
	! apt_fetch 2 source --download-only "$1=$2" || return 0
	why=$(apt_why)
	rm -rf "$apt_dir"
	{ apt_private deb-src "$pinned_suite" &&
		apt_fetch 2 source --download-only "$1=$2"; } ||
		die "cannot fetch $1 $2 ($why; $pinned_suite: $(apt_why)): $elsewhere"
}

# apt_source DIR PACKAGE VERSION TARBALL SHA256 ELSEWHERE MEMBER...: fetches the
# source package, checks TARBALL's digest and unpacks the named members of it into
# DIR. Does nothing if DIR/.stamp contains SHA256. ELSEWHERE is the advice that an
# error message ends with.
apt_source()
{
	dir=$1 package=$2 version=$3 tarball=$4 sha256=$5 elsewhere=$6
	shift 6

	if [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$sha256" ]; then
		touch "$dir/.stamp"
		return
	fi

	printf '  %-7s %s\n' FETCH "$dir ($package $version and its index)"
	fetch_pinned "$package" "$version"
	echo "$sha256  $apt_dir/download/$tarball" | sha256sum -c --status ||
		die "$tarball does not have the pinned digest: $elsewhere"

	mkdir -p "$(dirname "$dir")"
	rm -rf "$dir" "$dir.new"
	mkdir "$dir.new"
	# --strip-components drops the tarball's top directory.
	tar -C "$dir.new" --strip-components=1 --no-same-owner \
		--wildcards --no-wildcards-match-slash \
		-xf "$apt_dir/download/$tarball" "$@"
	echo "$sha256" >"$dir.new/.stamp"
	mv "$dir.new" "$dir"
}

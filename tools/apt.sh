# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# apt.sh - package downloads through the machine's own package archive, without
# touching the machine's apt configuration and without naming a host. Sourced
# by the fetch-* scripts; works as root and as an ordinary user.

# die MESSAGE: one line on stderr, and out.
die()
{
	echo "${0##*/}: $1" >&2
	exit 1
}

# apt_private TYPE [SUITE]: makes a private apt state in a temporary directory,
# $apt_dir, with the machine's own archive entries turned into TYPE (deb or
# deb-src), and all but those for updates into SUITE, and fetches the lists.
# Afterwards apt_cache and apt_fetch work on that state. Fails if no list could
# be had.
#
# The lists are fetched even where the system has some: those may be older than
# the last security update, which removed the packages that they promise.
apt_private()
{
	command -v apt-get >/dev/null ||
		die "no apt-get on this system"
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

	# Read after the system's configuration, so that proxies and the like
	# stay in force. Hooks belong to the system's own lists: not run. No
	# sandbox user: root's would not get into the private directory.
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

	# One archive of several may have no lists of this type, or be out of
	# reach; what counts is whether the package can be had.
	apt-get -q -c "$apt_dir/conf" update >"$apt_dir/log" 2>&1 || true
	case $1 in
	deb) ls "$apt_dir"/lists/*_Packages* ;;
	deb-src) ls "$apt_dir"/lists/*_Sources* ;;
	esac >/dev/null 2>&1
}

apt_cache()
{
	apt-cache -q -c "$apt_dir/conf" "$@"
}

# apt_fetch MEGABYTES ARGUMENT...: runs apt-get ARGUMENT... in
# $apt_dir/download and says every two seconds how far it has come. Returns its
# exit status; what it said is in $apt_dir/log.
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

# apt_why: the last error of apt's, for a message.
apt_why()
{
	sed -n 's/^E: //p' "$apt_dir/log" | tail -n 1
}

# apt_source DIR PACKAGE VERSION TARBALL SHA256 ELSEWHERE MEMBER...: unpacks the
# members of a source package's tarball into DIR, unless DIR/.stamp says that
# they are there. ELSEWHERE says what to do if they cannot be had.
apt_source()
{
	dir=$1 package=$2 version=$3 tarball=$4 sha256=$5 elsewhere=$6
	shift 6

	if [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$sha256" ]; then
		touch "$dir/.stamp"
		return
	fi

	printf '  %-7s %s\n' FETCH "$dir ($package $version and its index)"
	apt_private deb-src ||
		die "the package archive cannot be reached, or has no sources ($(apt_why)): $elsewhere"
	apt_fetch 2 source --download-only "$package=$version" ||
		die "cannot fetch $package $version ($(apt_why)): $elsewhere"
	echo "$sha256  $apt_dir/download/$tarball" | sha256sum -c --status ||
		die "$tarball does not have the pinned digest: $elsewhere"

	mkdir -p "$(dirname "$dir")"
	rm -rf "$dir" "$dir.new"
	mkdir "$dir.new"
	# The tarball's one top directory is dropped.
	tar -C "$dir.new" --strip-components=1 --no-same-owner \
		--wildcards --no-wildcards-match-slash \
		-xf "$apt_dir/download/$tarball" "$@"
	echo "$sha256" >"$dir.new/.stamp"
	mv "$dir.new" "$dir"
}

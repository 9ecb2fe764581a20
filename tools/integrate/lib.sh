# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only
# What the scripts in this directory share: where things are, how they speak,
# and how a long command is run without being silent. Source it, do not run it.

top=$(readlink -f "${BASH_SOURCE[0]%/*}/../..")
here=$top/tools/integrate

# Debian keeps depmod and modprobe out of a user's PATH.
PATH=$PATH:/usr/sbin:/sbin

# The makes started from here have options and a job server of their own.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# The time that is shown counts from the first script of a chain.
export ACCEL_START=${ACCEL_START:-$EPOCHSECONDS}

# The comment at the top of a script is its help text.
usage() {
	sed -n '/^#!/d; /SPDX/d; /^#/!q; s/^# \{0,1\}//p' "$0"
}

minutes() {
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

say() {
	printf '[%5s] %s\n' "$(minutes $((EPOCHSECONDS - ACCEL_START)))" "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# For scripts without options: --help, or nothing.
no_arguments() {
	case ${1-} in
	'') ;;
	-h | --help) usage; exit 0 ;;
	*) die "unknown argument '$1', try --help" ;;
	esac
}

# VARIANT is for scripts that need another kernel of the same tree. Its objects and
# modules are beside those of the first, everything else is shared.
choose_variant() {
	VARIANT=${VARIANT-}
	variant=${VARIANT:+-$VARIANT}
	variant_config=() variant_make=()
	case $VARIANT in
	'') ;;
	gcov)
		variant_config=(CONFIG_GCOV_KERNEL=y)
		# What is executed is counted in the core, and nowhere else.
		# shellcheck disable=SC2016 # make expands it
		variant_make=('GCOV_PROFILE=$(if $(filter drivers/accel/core,$(obj)),y)')
		;;
	*) die "no such VARIANT: '$VARIANT'" ;;
	esac
	export VARIANT
}

# check_name NAME ADVICE: dies if make, a shell, sed, QEMU or the kernel's command line
# would take it apart
check_name() {
	[[ $1 != *[[:space:][:cntrl:]]* && ${1//[-.\/@_]/} != *[[:punct:]]* ]] ||
		die "'$1' has more in it than letters, digits and -./@_: $2"
}

# check_in_guest NAME ADVICE: dies if a guest has something of its own there
check_in_guest() {
	[[ $1/ != /@(dev|proc|run|sys)/* ]] || die "'$1' is not there in a guest: $2"
}

# Also a tree that would be copied into itself.
check_names() {
	check_name "$top" "move it"
	check_in_guest "$top" "move it"
	check_name "$BUILD" "set BUILD to another directory"
	check_in_guest "$BUILD" "set BUILD to another directory"
	if [ -n "${KSRC-}" ] && [[ $BUILD/ == "${KSRC%/}"/* ]]; then
		die "BUILD='$BUILD' is inside of KSRC='$KSRC', which is copied into BUILD: set BUILD to another directory"
	fi
}

# Sets the names of everything that belongs to the chosen tree.
choose_tree() {
	TREE=${TREE:-lts}
	[ -z "${KSRC-}" ] || TREE=ksrc
	case $TREE in
	lts | mainline) ;;
	ksrc) [ -e "${KSRC-}/Kbuild" ] || die "KSRC='${KSRC-}' is not a kernel tree" ;;
	*) die "TREE is lts or mainline, not '$TREE'; for a tree of your own set KSRC" ;;
	esac
	BUILD=$(readlink -m "${BUILD:-$top/build}")
	[ -z "${KSRC-}" ] || KSRC=$(readlink -f "$KSRC")
	check_names
	mkdir -p "$BUILD/$TREE/log"
	export TREE BUILD KSRC
	choose_variant
	tree=$BUILD/$TREE
	linux=$tree/linux
	pristine=$tree/pristine
	obj=$tree/obj$variant
	mod=$tree/mod$variant
	log=$tree/log
}

# One at a time for each tree. What was left running by a killed script holds
# the lock too, so nothing is built on files that still change.
lock_tree() {
	exec 9>"$tree/lock"
	until flock -w 15 9; do
		say "waiting: another prepare or build of $TREE is running"
	done
}

# with_progress LOG DESCRIBE CMD...: runs CMD with its output in LOG, and says
# every 15 s what the command DESCRIBE prints.
with_progress() {
	local out=$1 describe=$2 start=$EPOCHSECONDS ticker rc=0
	shift 2
	while sleep 15 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		printf '  %s, %s elapsed\n' "$($describe)" "$(minutes $((EPOCHSECONDS - start)))"
	done 9>&- &
	ticker=$!
	"$@" >"$out" 2>&1 </dev/null || rc=$?
	kill "$ticker"
	wait "$ticker" 2>/dev/null || :
	return $rc
}

# fail LOG MESSAGE: shows the errors in LOG and its end.
fail() {
	local out=$1
	shift
	{
		grep -nE '(error|Error|undefined reference|\*\*\*)' "$out" | head -n 10 || :
		echo "--- the last lines of $out:"
		tail -n 30 "$out"
	} >&2
	die "$*"
}

# Other clones of this repository hit the same cache.
use_ccache() {
	export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1
	! ccache -p | grep -q '^(default) max_size' || export CCACHE_MAXSIZE=10G
}

# The kernel's make must not see this directory's variables: its own makefiles
# use BUILD.
kmake() {
	env -u BUILD -u TREE -u KSRC make -C "$linux" O="$obj" CC="ccache gcc" -j"$(nproc)" \
		"${variant_make[@]}" "$@"
}

# The configuration of the kernel, as far as it is not tinyconfig
wanted() {
	cat "$here/test.config"
	printf '%s\n' "${variant_config[@]}"
}

set_config() {
	kmake tinyconfig
	wanted >>"$obj/.config"
	kmake olddefconfig
}

# build_modules DIR: modules that are not in the tree, in mainline's names
build_modules() {
	local compat=$linux/drivers/accel/compat.h
	[ -e "$compat" ] || compat=''
	kmake M="$1" KCFLAGS="${compat:+-include $compat}" modules
}

# build_selftests DIR COMPILER: the programs, and their names in DIR/list or DIR/storms
build_selftests() {
	# shellcheck disable=SC2016 # make expands it
	local list='list-programs:; @printf "%s\n" $(filter-out $(TEST_STORMS),$(notdir $(TEST_GEN_PROGS)))'
	# shellcheck disable=SC2016
	local storms='list-storms:; @printf "%s\n" $(TEST_STORMS)'
	local selftests=(
		env -u BUILD -u TREE -u KSRC make -s -j"$(nproc)" -C "$linux/tools/testing/selftests/accel"
		OUTPUT="$1" CC="$2" KHDR_INCLUDES="-isystem $tree/usr/include"
	)
	mkdir -p "$1" && "${selftests[@]}" && "${selftests[@]}" --eval="$list" list-programs >"$1/list" &&
		"${selftests[@]}" --eval="$storms" list-storms >"$1/storms"
}

# complaints FILE: the kernel's, in its messages; fails if there are none. Benign
# lines that look like one are taken out first.
complaints() {
	grep -avE 'DMA-API: (preallocated|debugging enabled)' "$1" |
		grep -aE -e 'WARNING: |BUG: |KASAN: |UBSAN: |Oops: |DMA-API: |refcount_t: ' \
			-e 'possible (circular|recursive) locking|inconsistent lock state|suspicious RCU usage' \
			-e 'INFO: trying to register non-static key' \
			-e 'INFO: task .* blocked|detected stall|kmemleak: .* new suspected'
}

# For guests: nothing of the subsystem's is leaked. An object is reported when it is 5 s
# old and two scans found no pointer to it. A kmemleak that is off refuses to scan.
no_leaks() {
	local reports=/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >$reports && echo scan >$reports && [ -r $reports ] || return
	! grep -B 30 accel $reports
}

# remove_allowed: takes checkpatch's lines "FILE:N: LEVEL:TYPE: text" and leaves those
# that checkpatch.allow does not name; then names its entries that matched nothing.
remove_allowed() {
	awk -v allow="$here/check.d/checkpatch.allow" '
		function pattern(glob) {
			gsub(/[.+]/, "[&]", glob)
			gsub(/\*/, ".*", glob)
			return "^" glob "$"
		}
		BEGIN {
			while ((getline line < allow) > 0) {
				if (line ~ /^#/ || line == "")
					continue
				split(line, field, /[ \t]+/)
				type[++n] = field[1]
				file[n] = pattern(field[2])
			}
		}
		/^total:/ { next }
		{
			split($0, part, ":")
			for (i = 1; i <= n; i++)
				if (part[4] == type[i] && part[1] ~ file[i]) {
					used[i] = 1
					next
				}
			print
		}
		END {
			for (i = 1; i <= n; i++)
				if (!used[i])
					print "checkpatch.allow: nothing matches " type[i] " for " file[i]
		}'
}

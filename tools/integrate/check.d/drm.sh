# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# The check drm-drivers: DRM and its accelerator drivers next to ours, compiled and
# linked. tools/integrate/check sources it, and has the variables and value().

# drm_config LINE...: tinyconfig, drm.config and these, which Kconfig has to take; where
# the tree is without our changes it has none of our symbols.
drm_config() {
	local line symbol
	{
		kmake -s tinyconfig
		printf '%s\n' "$@" | cat "$dir/drm.config" - >>"$obj/.config"
		kmake -s olddefconfig
	} >"$obj.log" 2>&1 || cat "$obj.log"
	for line in $(grep -h '^CONFIG_' "$dir/drm.config") "$@"; do
		symbol=${line%%=*}
		[[ $symbol == CONFIG_ACCEL* && $linux == */pristine ]] ||
			[ "$(value "${symbol#CONFIG_}")" = "${line#*=}" ] || echo "$t: Kconfig did not take $line"
	done
}

# The drivers that the tree has for DRM_ACCEL: "DIRECTORY SYMBOL"
drm_drivers() {
	(cd "$linux" && awk '
		/^config / { symbol = $2 }
		/^\ttristate/ && symbol ~ /^DRM_ACCEL_/ {
			sub("/Kconfig", "", FILENAME)
			print FILENAME, "CONFIG_" symbol
		}' drivers/accel/*/Kconfig)
}

# drm_warnings LOG: in words that are the same for both trees, wherever the line is
drm_warnings() {
	grep -E '(warning|WARNING|error): ' "$1" |
		sed -E "s#$linux/##g; s#(\.\./)+(linux|pristine)/##g; s#:[0-9]+(:[0-9]+)?: #: #g; s#\+0x[0-9a-f]+##g" |
		sort -u || :
}

# What DRM gives to its drivers, and the class and the core to theirs
drm_exports() {
	find "$obj/drivers/accel" "$obj/drivers/gpu/drm" -name '*.o' -exec nm {} + 2>/dev/null |
		sed -n 's/.* __export_symbol_//p' | sort -u
}

# drm_compile NAME LINUX: DRM, all its drivers for accelerators and ours, as modules.
# A driver that was not compiled has not been looked at.
drm_compile() {
	local linux=$2 obj=$work/drm-$1 driver lines
	rm -rf "$obj"
	mkdir "$obj"
	mapfile -t lines < <(
		grep '^CONFIG_' "$dir/drm-drivers.config"
		drm_drivers | sed 's/.* //; s/$/=m/'
		printf 'CONFIG_%s\n' DRM=m DRM_ACCEL=y ACCEL=m ACCEL_EDU=m ACCEL_VACCEL=m
	)
	drm_config "${lines[@]}"
	say "check: compiling DRM's drivers for accelerators, $t, $1 our changes" >&3
	kmake drivers/accel/ drivers/gpu/drm/ >"$obj.log" 2>&1 || echo "$t, $1 our changes: make failed"
	for driver in $(drm_drivers | sed 's/ .*//'); do
		grep -q "^$driver/" "$obj/drivers/accel/modules.order" || echo "$t: $driver was passed over"
	done
	drm_warnings "$obj.log" >"$obj.warnings"
	drm_exports >"$obj.exports"
}

# The compiler's warnings are seen in the same way as those of the drivers.
drm_canary() {
	local canary=$work/drm-canary obj=$work/drm-with
	mkdir -p "$canary"
	echo 'static int canary;' >"$canary/canary.c"
	echo 'obj-m := canary.o' >"$canary/Kbuild"
	kmake M="$canary" canary.o >"$canary/log" 2>&1 || :
	drm_warnings "$canary/log" | comm -13 "$work/drm-without.warnings" - | grep -q 'canary' ||
		echo "$t: a variable that nothing uses gives no warning"
	grep -qx accel_open "$work/drm-without.exports" || echo "$t: what DRM exports is not seen"
}

# Nothing that the tree has without our changes is lost, and no warning comes with them.
drm_compare() {
	drm_compile without "$BUILD/$t/pristine"
	drm_compile with "$linux"
	comm -13 "$work/drm-without.warnings" "$work/drm-with.warnings" | sed "s/^/$t: new with our changes: /"
	comm -23 "$work/drm-without.exports" "$work/drm-with.exports" | sed "s/^/$t: not exported any more: /"
	drm_canary
}

# home SYMBOL: what modpost has found it in, y for the kernel and m for a module
home() {
	awk -v symbol="$1" '
		$2 == symbol { home = $3 == "vmlinux" ? "y" : "m" }
		END { print home ? home : "n" }' "$obj/Module.symvers"
}

# in_class MODULE OBJECT: its symbols of the class were found in the class
in_class() {
	nm -u "$obj/$2" | grep -qw accel_minor_alloc || echo "$kernel: $2 does not use the class"
	[ "$(value ACCEL_CLASS)" = y ] || modinfo -F depends "$obj/$1" | grep -qw accel_class ||
		echo "$kernel: $1 does not depend on the class"
}

# drm_kernel DRM DRM_ACCEL ACCEL: a whole kernel with its modules, since only modpost
# and the linker see whether a symbol is found. What differs between two is compiled
# anew, and no more.
drm_kernel() {
	local kernel="$t: DRM=$1 DRM_ACCEL=$2 ACCEL=$3" lines=()
	[ "$2" = n ] || lines+=(CONFIG_DRM_ACCEL="$2" CONFIG_ACCEL_DRM_TEST="$1")
	[ "$3" = n ] || lines+=(CONFIG_ACCEL_EDU="$3" CONFIG_ACCEL_VACCEL="$3")
	# As I2C in drm.config; the core has to select it by itself.
	[ "$3" != n ] || lines+=(CONFIG_EVENTFD=y)
	drm_config CONFIG_DRM="$1" CONFIG_ACCEL="$3" "${lines[@]}"
	say "check: building a kernel, $kernel" >&3
	if ! kmake vmlinux modules >"$obj.log" 2>&1; then
		echo "$kernel: make failed"
		grep -E '(error|ERROR): |undefined reference|\*\*\*' "$obj.log" | head -n 10
		return
	fi
	grep -E '(warning|WARNING): .*(accel|drm)' "$obj.log" | sed "s/^/$kernel: /" || :
	[ "$(home accel_minor_alloc) $(home drm_dev_register) $(home accel_register)" = \
		"$(value ACCEL_CLASS) $1 $3" ] || echo "$kernel: the class, DRM or the core is not where it belongs"
	[ "$2" = n ] || in_class drivers/gpu/drm/drm.ko drivers/accel/drm_accel.o
	[ "$3" = n ] || in_class drivers/accel/core/accel.ko drivers/accel/core/device.o
}

check_drm-drivers() {
	local t linux obj=$work/drm-kernel
	for t in "${both_trees[@]}"; do
		linux=$BUILD/$t/linux
		drm_compare
		rm -rf "$obj"
		mkdir "$obj"
		drm_kernel n n m
		drm_kernel m y m
		drm_kernel y y n
		drm_kernel y y y
	done
}

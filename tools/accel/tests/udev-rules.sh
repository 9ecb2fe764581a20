#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: udev-rules.sh FILE
#
# Whether udev understands the rules in FILE: as udevadm says, where it can, which is
# since systemd 254; or else whether each line is made of KEY, operator and "value".

[ -r "${1-}" ] || {
	echo "udev-rules.sh: cannot read '${1-}'" >&2
	exit 1
}

key='[A-Z]+(\{[^}"]+\})?(==|!=|=|\+=|-=|:=)"[^"]*"'

by_grep() {
	! grep -vnE "^(#.*|$key(, ?$key)*)?\$" "$1"
}

if udevadm verify --help >/dev/null 2>&1; then
	exec udevadm verify "$1"
fi

canary=$(mktemp) || exit
trap 'rm -f "$canary"' EXIT
echo 'SUBSYSTEM=="accel", MODE="0660" GROUP=render' >"$canary"
if by_grep "$canary" >/dev/null; then
	echo "udev-rules.sh: does not see what is wrong" >&2
	exit 1
fi
by_grep "$1" && echo "udev-rules.sh: $1 looks right; this machine has no udevadm verify"

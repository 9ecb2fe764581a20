#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: demo.sh DIR
#
# What "make run" shows in the guest: the devices, and jobs on each of them. DIR is
# where tools/accel was built. The first step that fails ends it.
set -eu
dir=$1
export LD_LIBRARY_PATH="$dir"

step() {
	echo
	echo "[guest $(cut -d. -f1 /proc/uptime) s] $*"
	"$@"
}

step modprobe accel_edu
step modprobe accel_vaccel
step ls -l /dev/accel
step "$dir/accel" list
step "$dir/accel" info
step "$dir/examples/factorial" /dev/accel/accel0 10
step "$dir/examples/factorial" /dev/accel/accel1 10
step "$dir/examples/matmul" /dev/accel/accel128 128

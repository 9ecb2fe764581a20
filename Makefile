# SPDX-License-Identifier: GPL-2.0-only
# Thin names for tools/integrate; each script there has --help.

BUILD ?= build
ifeq ($(BUILD),)
override BUILD := build
endif
# It would be taken apart here, before any script sees it.
ifneq ($(findstring $$,$(value BUILD)),)
$(error BUILD may not have a dollar sign in it)
endif
export BUILD TREE KSRC
integrate := tools/integrate

.PHONY: help run demo test test-full check kunit coverage mutants series size vm build clean distclean

help:		## this list
	@sed -n 's/^\([a-z-]*\):.*##/  \1\t/p' Makefile
	@echo "Variables: TREE=lts (default) or mainline, KSRC=dir: a tree of your own (neither for"
	@echo "check), BUILD=dir: where everything is built (default: build)"

run:		## build the kernel, boot it, run jobs on its accelerators
	@$(integrate)/run

demo:		## images from a camera through an accelerator to a screen, zero copy
	@$(integrate)/demo

test:		## KUnit and selftests; ends with "N passed, N failed"
	@$(integrate)/test

test-full:	## the same, and longer: hours
	@$(integrate)/test --full

check:		## look at the files: checkpatch, sparse, kernel-doc and the like
	@$(integrate)/check

kunit:		## KUnit by the kernel tree's own kunit.py, in a kernel of its own
	@$(integrate)/kunit

coverage:	## which lines of the core the tests execute; builds a kernel for it
	@$(integrate)/coverage

mutants:	## put bugs into the code, one at a time, and see a test fail
	@$(integrate)/mutate

series:		## the subsystem as patches for a kernel tree that does not have it
	@$(integrate)/series

size:		## what it adds to a kernel image, and as modules, in KiB
	@$(integrate)/size

vm: build	## a shell in the guest; tools/integrate/vm CMD... runs a command
	@$(integrate)/vm

build:		## kernel, modules and userspace, without booting
	@$(integrate)/build

clean:		## remove what was compiled; trees and downloads stay
	@$(integrate)/clean

distclean:	## remove everything that was ever made here
	@$(integrate)/clean --all

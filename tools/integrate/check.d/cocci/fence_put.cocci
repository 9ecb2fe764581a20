// SPDX-License-Identifier: GPL-2.0-only
// A fence is not looked at any more once the reference to it is given back.

@fence@
expression f, e;
identifier use =~ "^dma_fence_(wait|wait_timeout|is_signaled|get|get_status|add_callback|set_error|signal)$";
@@
 dma_fence_put(f);
 ... when != f = e
* use(f, ...)

@job@
identifier job, member;
expression e;
iterator i;
statement S;
@@
 dma_fence_put(&job->fence);
 ... when != job = e
     when != i(job, ...) S
     when != i(job, ...) { ... }
* job->member

// SPDX-License-Identifier: GPL-2.0-only
// A fence is not looked at any more once the reference to it is given back.

// An element of an array is another fence when the index is another.
@element@
expression array;
identifier index;
position p;
@@
 dma_fence_put@p(array[index]);

@again@
expression array, e;
identifier index;
position element.p;
identifier use =~ "^dma_fence_(wait|wait_timeout|is_signaled|get|get_status|add_callback|set_error|signal)$";
@@
 dma_fence_put@p(array[index]);
 ... when != array[index] = e
     when != index = e
     when != index++
     when != index--
* use(array[index], ...)

@fence@
expression f, e;
position p != element.p;
identifier use =~ "^dma_fence_(wait|wait_timeout|is_signaled|get|get_status|add_callback|set_error|signal)$";
@@
 dma_fence_put@p(f);
 ... when != f = e
* use(f, ...)

// The fence is part of the job, so that reference was the job's.
@job@
identifier job, member, fn;
expression e;
iterator i;
statement S;
@@
 dma_fence_put(&job->fence);
 ... when != job = e
     when != i(job, ...) S
     when != i(job, ...) { ... }
(
* job->member
|
* fn(..., job, ...)
)

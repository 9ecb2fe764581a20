// SPDX-License-Identifier: GPL-2.0-only
// fd_install() is the last thing that happens: from then on another thread may close
// the descriptor, and the call can no longer fail. The same goes for our call of it.

@publish@
expression call;
identifier fn;
@@
 accel_fd_publish(call);
 ...
* fn(...)

@publish_fail@
expression call;
constant error;
@@
 accel_fd_publish(call);
 ...
* return -error;

@use@
expression fd, file;
@@
 fd_install(fd, file);
 ...
* file

@fail@
expression fd, file;
constant error;
@@
 fd_install(fd, file);
 ...
* return -error;

@result@
expression fd, file, ret;
identifier fn;
@@
 fd_install(fd, file);
 ...
(
* return fn(...);
|
* ret = fn(...)
)

@copy@
expression fd, file;
@@
 fd_install(fd, file);
 ...
(
* copy_to_user(...)
|
* put_user(...)
)

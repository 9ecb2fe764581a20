// SPDX-License-Identifier: GPL-2.0-only
// A number of the user's picks an element of an array: after the check of its range it
// goes through array_index_nospec(), or a mispredicted branch reads elsewhere.

// A member of an ioctl's argument as it came.
@argument@
identifier args, call;
type T;
@@
 T *args = call->arg;

@member@
identifier argument.args, index;
expression array;
@@
* array[args->index]

// The same by way of a variable.
@copy@
identifier argument.args, index, copy;
expression array, e;
@@
 copy = args->index;
 ... when != copy = e
* array[copy]

// What is compared with a limit and then used.
@compared@
expression index, array, limit, result, e;
@@
(
 if (<+... index >= limit ...+>) return result;
|
 if (<+... index > limit ...+>) return result;
)
 ... when != index = e
* array[index]

// And what is used where it is below the limit.
@below@
expression index, array, limit;
@@
 if (<+... \( index < limit \| index <= limit \) ...+>)
 {
 <+...
* array[index]
 ...+>
 }

@either@
expression index, array, limit, other;
@@
* \( index < limit \| index <= limit \) ? <+... array[index] ...+> : other

"""Reading ahead: the memory is told what will be asked for, so that it works while the present block is computed."""

from __future__ import annotations

from typing import Any, Final

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE: Final = 16
"""Values of 32 bits in a line of memory, which is what one :data:`fetch` brings."""
_WORDS: Final[Any] = cgutils  # numba's own words for machine code carry no types


def _fetch(_typing: Any, array: Any, place: Any) -> Any:
    """``fetch(array, place)`` for numba's compiler."""
    words = _WORDS.ir
    shape = words.FunctionType(words.VoidType(), [_WORDS.voidptr_t, *[_WORDS.int32_t] * 3])

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), _WORDS.voidptr_t)
        known = _WORDS.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
        # To be read; to be kept near; data, not code.
        builder.call(known, [address, *(words.Constant(_WORDS.int32_t, number) for number in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, place), generate


fetch: Final[Any] = intrinsic(_fetch)
"""``fetch(array, place)``: bring the line of memory that holds a place of a flat array near; any place will do, also one beyond the end.

A processor does this by itself while it reads on and on, but loses its way where a kernel reads a block and then works on it.
"""
